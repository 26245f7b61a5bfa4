#include "tokenizer/chat_template.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

#include "base/error.h"

namespace hearth {
namespace {

using Json = nlohmann::ordered_json;

std::string token_text(const Vocab& vocab, TokenId id) {
  const bool known = id >= 0 && static_cast<std::size_t>(id) < vocab.tokens.size();
  return known ? vocab.tokens[static_cast<std::size_t>(id)] : std::string();
}

std::string names() {
  return fmt::format("{}", fmt::join(ChatTemplate::builtin_names(), ", "));
}

}  // namespace

ChatTemplate::ChatTemplate(jinja::Template parsed, const Vocab& vocab)
    : template_(std::move(parsed)),
      bos_(token_text(vocab, vocab.bos)),
      eos_(token_text(vocab, vocab.eos)) {}

ChatTemplate ChatTemplate::of_model(const Vocab& vocab) {
  if (vocab.chat_template.empty()) {
    throw Error({.where = "chat template",
                 .what = "this model's file has none, so how it wants a conversation is not known; "
                         "choose one with --template NAME|FILE, or give the model plain text (run "
                         "--raw)",
                 .expected = "a file with Jinja in it, or one of " + names(),
                 .got = {}});
  }
  return from_source(vocab.chat_template, "chat template", vocab);
}

ChatTemplate ChatTemplate::builtin(std::string_view name, const Vocab& vocab) {
  const std::string_view source = builtin_source(name);
  if (source.empty()) {
    throw Error({.where = "chat template",
                 .what = "there is no built-in template of that name",
                 .expected = "one of " + names(),
                 .got = fmt::format("\"{}\"", name)});
  }
  return from_source(source, fmt::format("built-in template {}", name), vocab);
}

ChatTemplate ChatTemplate::from_source(std::string_view source, std::string name,
                                       const Vocab& vocab) {
  return ChatTemplate(jinja::Template::parse(source, std::move(name)), vocab);
}

std::string ChatTemplate::render(std::span<const PromptMessage> messages,
                                 const PromptOptions& options) const {
  Json list = Json::array();
  for (const PromptMessage& message : messages) {
    Json entry = {{"role", message.role}, {"content", message.content}};
    if (message.extra.is_object()) entry.update(message.extra);
    list.push_back(std::move(entry));
  }
  return render(list, options);
}

std::string ChatTemplate::render(const Json& messages, const PromptOptions& options) const {
  Json context = {{"messages", messages},
                  {"add_generation_prompt", options.add_generation_prompt},
                  {"bos_token", bos_},
                  {"eos_token", eos_}};
  if (!options.tools.is_null()) context["tools"] = options.tools;
  if (options.variables.is_object()) context.update(options.variables);
  return template_.render(context, {.now = options.now});
}

}  // namespace hearth
