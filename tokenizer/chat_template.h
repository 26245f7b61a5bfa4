// Messages to the text of a prompt, through a model's chat template.
//
// The contract about BOS: many templates begin with {{ bos_token }} and many do not. The text that
// render() gives is therefore encoded with add_special and parse_special both on; the tokenizer
// never makes a second BOS of the two (EncodeOptions), so neither case needs to be known.
#pragma once

#include <ctime>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "tokenizer/jinja/template.h"
#include "tokenizer/prompt_message.h"
#include "tokenizer/vocab.h"

namespace hearth {

struct PromptOptions {
  bool add_generation_prompt = true;           // end where the assistant begins to speak
  nlohmann::ordered_json tools = nullptr;      // an array of tools as the OpenAI API describes them
  nlohmann::ordered_json variables = nullptr;  // an object of more variables: enable_thinking …
  std::optional<std::tm> now = {};             // what strftime_now() says; absent: local time
};

class ChatTemplate {
 public:
  /// The template that the model's file brings. Throws Error that says what to do if it has none.
  static ChatTemplate of_model(const Vocab& vocab);

  /// One of builtin_names(), for old files without a template. Throws Error on another name.
  static ChatTemplate builtin(std::string_view name, const Vocab& vocab);

  /// Jinja source; `name` stands in messages.
  static ChatTemplate from_source(std::string_view source, std::string name, const Vocab& vocab);

  /// "alpaca", "chatml" …, sorted.
  static std::vector<std::string_view> builtin_names();

  /// The Jinja source of a built-in template; empty if there is none of that name.
  static std::string_view builtin_source(std::string_view name);

  /// Throws Error with the template's own words where it refuses the messages (a system prompt that
  /// it does not know, roles out of turn), and with its place where it fails.
  std::string render(std::span<const PromptMessage> messages,
                     const PromptOptions& options = {}) const;

  /// The same from a JSON array of messages.
  std::string render(const nlohmann::ordered_json& messages,
                     const PromptOptions& options = {}) const;

  /// Whether the template does something with tools.
  bool takes_tools() const { return template_.mentions("tools"); }

 private:
  ChatTemplate(jinja::Template parsed, const Vocab& vocab);

  jinja::Template template_;
  std::string bos_, eos_;  // their text; empty if the vocabulary has none
};

}  // namespace hearth
