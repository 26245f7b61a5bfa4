// Which tokens lie in the KV cache, so that only what is new of a prompt has to be computed.
#pragma once

#include <span>
#include <vector>

#include "base/progress.h"
#include "engine/runtime/evaluator.h"
#include "tokenizer/vocab.h"

namespace hearth {

/// The only one to feed its Evaluator, which outlives it and holds no tokens at the beginning.
class PromptCache {
 public:
  explicit PromptCache(Evaluator& evaluator);

  const Evaluator& evaluator() const { return *evaluator_; }

  /// Every token in the KV cache, in order. After an exception too.
  std::span<const TokenId> tokens() const { return tokens_; }
  bool is_full() const;

  /// Makes the context exactly `prompt`, which is not empty, and returns the logits after its last
  /// token, [n_vocab], valid until the next call. The longest common beginning with what is there
  /// already is kept, if the evaluator can go on from it, the rest computed, with progress. Throws
  /// what Evaluator::eval throws.
  std::span<const float> prefill(std::span<const TokenId> prompt, const ProgressFn& progress = {});

  /// The same, and the likeliest token after it, as Evaluator::eval_likeliest says.
  TokenId prefill_likeliest(std::span<const TokenId> prompt, const ProgressFn& progress = {});

  /// How many tokens of the last prompt did not have to be computed again.
  int reused() const { return reused_; }

  /// One more token; the logits after it.
  std::span<const float> append(TokenId token);

  /// One more token; the likeliest after it.
  TokenId append_likeliest(TokenId token);

 private:
  std::span<const TokenId> keep_common(std::span<const TokenId> prompt);
  template <class Eval>
  auto eval(std::span<const TokenId> tokens, const Eval& evaluate);

  Evaluator* evaluator_;
  std::vector<TokenId> tokens_;
  int reused_ = 0;
};

}  // namespace hearth
