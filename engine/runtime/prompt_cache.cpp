#include "engine/runtime/prompt_cache.h"

#include <algorithm>

#include "base/error.h"

namespace hearth {

PromptCache::PromptCache(Evaluator& evaluator) : evaluator_(&evaluator) {
  HEARTH_CHECK(evaluator.n_past() == 0);
}

bool PromptCache::is_full() const {
  return static_cast<int>(tokens_.size()) == evaluator_->n_ctx();
}

/// Forgets what the prompt does not begin with; what is left of it to be computed.
std::span<const TokenId> PromptCache::keep_common(std::span<const TokenId> prompt) {
  HEARTH_CHECK(!prompt.empty());
  const auto first_new =
      std::mismatch(prompt.begin(), prompt.end(), tokens_.begin(), tokens_.end()).first;
  // The last token is always computed: what comes after it is what is asked for.
  const auto common =
      std::min(static_cast<std::size_t>(first_new - prompt.begin()), prompt.size() - 1);
  reused_ = evaluator_->truncate(static_cast<int>(common));
  tokens_.resize(static_cast<std::size_t>(reused_));
  return prompt.subspan(tokens_.size());
}

template <class Eval>
auto PromptCache::eval(std::span<const TokenId> tokens, const Eval& evaluate) {
  // When the evaluation ends early, what it has done is in the cache.
  struct Sync {
    PromptCache& cache;
    ~Sync() { cache.tokens_.resize(static_cast<std::size_t>(cache.evaluator_->n_past())); }
  } sync{*this};
  HEARTH_CHECK(evaluator_->n_past() == static_cast<int>(tokens_.size()));
  tokens_.insert(tokens_.end(), tokens.begin(), tokens.end());
  return evaluate(tokens);
}

std::span<const float> PromptCache::prefill(std::span<const TokenId> prompt,
                                            const ProgressFn& progress) {
  return eval(keep_common(prompt),
              [&](std::span<const TokenId> tokens) { return evaluator_->eval(tokens, progress); });
}

TokenId PromptCache::prefill_likeliest(std::span<const TokenId> prompt,
                                       const ProgressFn& progress) {
  return eval(keep_common(prompt), [&](std::span<const TokenId> tokens) {
    return evaluator_->eval_likeliest(tokens, progress);
  });
}

std::span<const float> PromptCache::append(TokenId token) {
  return eval({&token, 1},
              [&](std::span<const TokenId> tokens) { return evaluator_->eval(tokens); });
}

TokenId PromptCache::append_likeliest(TokenId token) {
  return eval({&token, 1},
              [&](std::span<const TokenId> tokens) { return evaluator_->eval_likeliest(tokens); });
}

}  // namespace hearth
