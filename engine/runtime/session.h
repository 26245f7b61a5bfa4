// A conversation with a model: history through the chat template, what does not fit, and the reuse
// of what was computed for the turns before.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/runtime/conversation.h"
#include "engine/runtime/evaluator.h"
#include "engine/runtime/generate.h"
#include "engine/runtime/prompt_cache.h"
#include "engine/runtime/sampler.h"
#include "tokenizer/tokenizer.h"

namespace hearth {

/// Messages to the text of a prompt that asks for an answer. Throws Error.
using PromptRenderer = std::function<std::string(std::span<const PromptMessage> messages)>;

enum class OverflowPolicy {
  error,        // a conversation that does not fit is refused
  drop_oldest,  // the model no longer sees the oldest turns; the system prompt always stays
};

struct SessionOptions {
  OverflowPolicy overflow = OverflowPolicy::error;
  GenerateOptions generate = {};
};

struct Reply {
  Generation generation;
  bool kept = true;       // false: stopped before a word was said, and the question is forgotten
  int dropped_turns = 0;  // how many turns were dropped to make room for this one
};

/// What a rendered prompt becomes: special tokens parsed, but for what Tokenizer::as_literal() has
/// marked; BOS if the vocabulary wants it, no EOS.
std::vector<TokenId> encode_prompt(const Tokenizer& tokenizer, std::string_view text);

/// Either a turn is whole or it is not there: after an exception, and after an answer that was
/// cancelled before it began, the conversation is what it was before.
class Session {
 public:
  /// `evaluator` (empty) and `tokenizer` outlive the session.
  Session(Evaluator& evaluator, const Tokenizer& tokenizer, PromptRenderer render, Sampler sampler,
          SessionOptions options);

  const Conversation& conversation() const { return conversation_; }
  const PromptCache& cache() const { return cache_; }
  const Tokenizer& tokenizer() const { return *tokenizer_; }

  /// Throws Error if the template cannot take a system prompt, or leaves it out.
  void set_system(std::string system);

  /// Asks and answers. Throws Error when the conversation does not fit the context (with the
  /// numbers), when the template refuses the messages, or when the model fails.
  Reply ask(std::string question, const GenerateHooks& hooks = {});

  /// The same, with `prompt` in place of the question in what the model is given: the question and
  /// what was found on it. The conversation keeps the question alone.
  Reply ask_with(std::string question, const std::string& prompt, const GenerateHooks& hooks = {});

  /// Whether the conversation and this as its next question leave room for an answer.
  bool has_room_for(const std::string& prompt) const;

  /// What the model says to messages that are no part of the conversation, the likeliest words, at
  /// most max_tokens of them; none when the context has no room for both.
  std::optional<std::string> aside(std::span<const PromptMessage> messages, int max_tokens,
                                   const GenerateHooks& hooks = {});

  /// Another answer to the last question, in place of the one that is there. Throws Error if there
  /// is none.
  Reply regenerate(const GenerateHooks& hooks = {});

  /// Forgets every turn, not the system prompt.
  void clear();

  /// Goes on with another conversation, its system prompt included. Throws Error if the template
  /// cannot take that; then nothing has changed.
  void replace(Conversation conversation);

  /// How many of the oldest turns the model no longer sees.
  std::size_t dropped_turns() const { return first_turn_; }

  /// Tokens that a prompt leaves free for the answer: what is asked for with max_tokens, else 256,
  /// but at most half of the context (a quarter without max_tokens).
  int reserved_for_answer() const;

  struct Totals {
    int answers = 0;
    GenerationStats stats;  // sums
  };
  const Totals& totals() const { return totals_; }

 private:
  std::vector<TokenId> prompt_from(std::size_t first_turn, const std::string& question) const;
  std::vector<TokenId> fitting_prompt(const std::string& question, std::size_t& first_turn) const;
  bool fits(std::size_t prompt_tokens) const;
  [[noreturn]] void refuse(std::size_t prompt_tokens, bool dropping) const;
  void check_system(const std::string& system) const;

  const Tokenizer* tokenizer_;
  PromptRenderer render_;
  PromptCache cache_;
  Sampler sampler_;
  SessionOptions options_;
  Conversation conversation_;
  std::string last_prompt_;     // what the model was given for the last question
  std::size_t first_turn_ = 0;  // the oldest turn that the model still sees
  Totals totals_;
};

}  // namespace hearth
