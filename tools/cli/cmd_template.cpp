// hearth template: what a chat template makes of a conversation, to the byte.
#include <cstdio>
#include <memory>
#include <string>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "tokenizer/chat_template.h"
#include "tokenizer/jinja/template.h"
#include "tokenizer/vocab_gguf.h"
#include "tools/cli/clock_option.h"
#include "tools/cli/command_line.h"
#include "tools/cli/commands.h"
#include "tools/cli/model_option.h"
#include "tools/cli/template_option.h"
#include "tools/cli/text_input.h"

namespace hearth::cli {
namespace {

using Json = nlohmann::ordered_json;

// With --file and --json the command is a function of its inputs: the same files give the same
// bytes on every machine and day. Templates that print a date then get this one.
constexpr const char* kFixedClock = "2024-07-26 09:30";

struct TemplateOptions {
  std::string file, json, model, choice, now;
  std::string system, user;
  bool no_generation_prompt = false;
};

std::string read_file(const std::string& path) {
  return read_text({.argument = {}, .file = path});
}

Json read_json(const std::string& path) {
  const std::string text = read_file(path);
  try {
    return Json::parse(text);
  } catch (const Json::exception& error) {
    throw Error({.where = path, .what = "is not JSON", .expected = {}, .got = error.what()});
  }
}

std::string render_file(const TemplateOptions& options) {
  if (options.json.empty()) {
    throw Error({.where = "--file",
                 .what = "a template alone says nothing",
                 .expected = "its variables with --json FILE",
                 .got = {}});
  }
  const auto chat = jinja::Template::parse(read_file(options.file), options.file);
  const std::string now = options.now.empty() ? kFixedClock : options.now;
  return chat.render(read_json(options.json), {.now = clock_from(now)});
}

Json messages_of(const TemplateOptions& options) {
  Json messages = Json::array();
  if (!options.system.empty()) {
    messages.push_back({{"role", "system"}, {"content", options.system}});
  }
  if (!options.user.empty()) messages.push_back({{"role", "user"}, {"content", options.user}});
  if (messages.empty()) {
    throw Error({.where = "template",
                 .what = "there is no conversation to render",
                 .expected = "--user TEXT, or --json FILE with messages",
                 .got = {}});
  }
  return messages;
}

std::string render_model(const TemplateOptions& options) {
  const Vocab vocab = vocab_from_gguf(open_model(options.model));
  const ChatTemplate chat = choose_template(vocab, options.choice);
  PromptOptions prompt = {.add_generation_prompt = !options.no_generation_prompt,
                          .now = clock_from(options.now)};
  if (options.json.empty()) return chat.render(messages_of(options), prompt);
  const Json input = read_json(options.json);
  if (input.is_array()) return chat.render(input, prompt);
  prompt.variables = input;  // an object: messages and whatever else it holds
  return chat.render(Json::array(), prompt);
}

void show_template(const TemplateOptions& options) {
  const std::string text = options.file.empty() ? render_model(options) : render_file(options);
  std::fwrite(text.data(), 1, text.size(), stdout);
}

}  // namespace

void add_template(CommandLine& line) {
  auto options = std::make_shared<TemplateOptions>();
  Command command = line.command("template", "Show what a chat template makes of a conversation");
  add_model_option(command, options->model);
  add_template_option(command, options->choice);
  command
      .option("--file", options->file,
              "Render this Jinja file with the variables of --json, without any model")
      .type("FILE");
  command
      .option("--json", options->json,
              "An object of variables (messages, tools, bos_token …), or with a model just the "
              "array of messages ('-': stdin)")
      .type("FILE");
  command.option("--system", options->system, "The system prompt").type("TEXT");
  command.option("--user", options->user, "The question").type("TEXT");
  command.flag("--no-generation-prompt", options->no_generation_prompt,
               "Do not end where the assistant begins to speak");
  add_clock_option(command, options->now);
  command.footer(std::string("With --file, the time is ") + kFixedClock +
                 " unless --now says otherwise: the same files give the same bytes.");
  command.runs([options] { show_template(*options); });
}

}  // namespace hearth::cli
