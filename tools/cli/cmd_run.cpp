// hearth run: one prompt to completion. The text, or one JSON object, is all that goes to stdout.
#include <fmt/format.h>

#include <memory>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/utf8.h"
#include "engine/runtime/context.h"
#include "engine/runtime/generate.h"
#include "engine/runtime/session.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/vocab_gguf.h"
#include "tools/cli/command_line.h"
#include "tools/cli/commands.h"
#include "tools/cli/engine_options.h"
#include "tools/cli/generation_options.h"
#include "tools/cli/interrupt.h"
#include "tools/cli/model_option.h"
#include "tools/cli/progress_bar.h"
#include "tools/cli/prompt_options.h"
#include "tools/cli/terminal.h"
#include "tools/cli/text_input.h"

namespace hearth::cli {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
  EngineOptions engine;
  GenerationOptions generation;
  ConversationOptions conversation;
  TextInput text;
  bool raw = false;
  bool json = false;
  int log_probs = -1;
};

std::string prompt_text(const Options& options) {
  if (!options.text.argument && options.text.file.empty() && is_terminal(stdin)) {
    throw Misuse("a prompt is required: as an argument, with --file, or on stdin");
  }
  return read_text(options.text);
}

struct Prompt {
  std::string text;
  bool continues_text = false;  // the answer goes on where the prompt ends
};

/// What the model is given of what the user said: through the chat template, if the model has one
/// and the user wants it.
Prompt make_prompt(const Options& options, const Tokenizer& tokenizer) {
  std::string text = prompt_text(options);
  const std::string system = system_prompt(options.conversation);
  if (options.raw || !has_template(options.conversation, tokenizer.vocab())) {
    if (system.empty()) return {text, !text.empty()};
    throw Error(Error::Parts{.where = "--system",
                             .what = "there is no chat template that could take it",
                             .expected = "--template NAME|FILE and no --raw, or no system prompt",
                             .got = {}});
  }
  if (text.ends_with('\n')) text.pop_back();  // of a file or of echo: nobody means it
  const Conversation conversation{.system = system};
  const PromptRenderer render = make_renderer(options.conversation, tokenizer);
  return {render(conversation.messages(utf8::sanitize(text)))};
}

std::vector<TokenId> encode(const Tokenizer& tokenizer, const std::string& text) {
  std::vector<TokenId> tokens = encode_prompt(tokenizer, text);
  const TokenId bos = tokenizer.vocab().bos;
  if (tokens.empty() && bos != kNoToken) tokens.push_back(bos);
  if (!tokens.empty()) return tokens;
  throw Error(Error::Parts{.where = "prompt",
                           .what = "is empty, and the model has no token to begin a text with",
                           .expected = "some text",
                           .got = {}});
}

Json log_prob_json(const Tokenizer& tokenizer, TokenId id, double log_prob) {
  return {{"id", id},
          {"text", std::string(tokenizer.piece(id, {.render_special = true}))},
          {"logprob", log_prob}};
}

Json to_json(const Generation& made, const Options& options, const Tokenizer& tokenizer) {
  const GenerationStats& stats = made.stats;
  Json json = {{"text", made.text},
               {"finish_reason", finish_reason_name(made.finish)},
               {"seed", *options.generation.seed},
               {"prompt_tokens", stats.prompt_tokens},
               {"answer_tokens", stats.answer_tokens}};
  Json tokens = Json::array(), log_probs = Json::array();
  for (const GeneratedToken& token : made.tokens) {
    tokens.push_back(token.id);
    Json entry = log_prob_json(tokenizer, token.id, token.log_prob);
    for (const TokenLogProb& other : token.top) {
      entry["top"].push_back(log_prob_json(tokenizer, other.id, other.log_prob));
    }
    log_probs.push_back(std::move(entry));
  }
  json["tokens"] = std::move(tokens);
  if (options.log_probs >= 0) json["logprobs"] = std::move(log_probs);
  json["timings"] = {{"prefill_seconds", stats.prefill_seconds},
                     {"prefill_tokens_per_second", stats.prefill_tokens_per_second()},
                     {"decode_seconds", stats.decode_seconds},
                     {"decode_tokens_per_second", stats.decode_tokens_per_second()}};
  return json;
}

void report(const Generation& made, const Context& context) {
  if (is_terminal(stdout) && !made.text.ends_with('\n')) write_output("\n");
  if (made.finish == FinishReason::cancelled) throw Cancelled();
  if (made.finish == FinishReason::context_full) {
    notice(fmt::format("(stopped: the context of {} tokens is full; -c gives a larger one)",
                       context.n_ctx()));
  } else if (made.finish == FinishReason::repetition) {
    notice(fmt::format("(stopped: {}; -n would let it go on)", finish_reason_text(made.finish)));
  }
  if (is_terminal(stderr)) {
    notice(fmt::format("[{} tokens, {:.1f} tokens/s]", made.tokens.size(),
                       made.stats.decode_tokens_per_second()));
  }
}

void run(Options options) {
  const gguf::Reader file = open_model(options.engine.model);
  const auto tokenizer = Tokenizer::create(vocab_from_gguf(file));
  Sampler sampler = make_sampler(options.generation, *tokenizer);
  GenerateOptions generation = make_generate_options(options.generation);
  generation.want_log_probs = options.log_probs >= 0;
  generation.top_log_probs = std::max(0, options.log_probs);
  const Prompt prompt = make_prompt(options, *tokenizer);
  generation.continues_text = prompt.continues_text;
  const std::vector<TokenId> tokens = encode(*tokenizer, prompt.text);
  const ModelBundle model = load_generator(file, options.engine);
  PromptCache cache(*model.context);

  const Interrupt interrupt;
  ProgressBar bar("reading");
  const auto stream = [&](std::string_view piece) {
    bar.clear();
    write_output(piece);
  };
  GenerateHooks hooks;
  if (!options.json) hooks.on_text = stream;
  hooks.on_prefill = bar.progress();
  hooks.cancelled = [&interrupt] { return interrupt.requested(); };
  const Generation made = generate(cache, *tokenizer, sampler, tokens, generation, hooks);
  bar.clear();
  if (options.json) {
    const Json json = to_json(made, options, *tokenizer);
    write_output(json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  }
  report(made, *model.context);
  print_profile(model);
}

}  // namespace

void add_run(CommandLine& line) {
  Command command = line.command("run", "Complete one prompt");
  const auto options = std::make_shared<Options>();
  add_text_input(command, options->text, "prompt", "the prompt (default: stdin)");
  command.flag("--raw", options->raw, "without the model's chat template");
  add_conversation_options(command, options->conversation);
  add_generation_options(command, options->generation);
  command
      .option("--logprobs", options->log_probs,
              "with --json: log-probabilities, and those of the N likeliest tokens")
      .type("N");
  command.flag("--json", options->json, "text, tokens, finish reason and timings as JSON");
  add_engine_options(command, options->engine);
  command.runs([options] { run(*options); });
}

}  // namespace hearth::cli
