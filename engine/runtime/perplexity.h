// How well a model predicts a text, and how far one model's predictions are from another's.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/progress.h"
#include "engine/runtime/evaluator.h"
#include "tokenizer/vocab.h"

namespace hearth {

/// A stretch of the text that is evaluated from an empty context. Of its tokens [begin, end) those
/// from `scored` on count; the ones before are their context. The last one is predicted, not fed.
struct TextWindow {
  std::size_t begin, end, scored;
};

/// Cuts `n_tokens` into windows that feed at most `n_ctx` tokens, a BOS in front included, and
/// advance by `stride`, so that every token is scored once: in the first window all, in the others
/// those that are new, which have at least a window less the stride as context. Without a BOS the
/// first token has no context and is not scored. `stride` 0: half a window. Throws Error if a
/// number makes no sense or the text has nothing to score.
std::vector<TextWindow> text_windows(std::size_t n_tokens, int n_ctx, int stride, bool with_bos);

/// Mean of a sample, and the standard error of that mean.
struct Mean {
  double value = 0, error = 0;
};

struct Perplexity {
  std::size_t tokens = 0;        // scored
  Mean negative_log_likelihood;  // per token, natural logarithm

  double value() const;  // e^mean
  double error() const;  // to first order: value() times the error of the mean
};

struct TextRun {
  std::span<const TokenId> tokens;  // without BOS
  TokenId bos = kNoToken;           // in front of every window, unless kNoToken
  int stride = 0;
};

/// Throws what text_windows() and the evaluator throw. The progress counts tokens.
Perplexity measure_perplexity(Evaluator& model, const TextRun& run,
                              const ProgressFn& progress = {});

struct Divergence {
  std::size_t tokens = 0;
  Mean kl;  // of the model from the base, per token, in nats: sum p_base ln(p_base / p)
  double largest_kl = 0;
  double same_top = 0;  // share of tokens where both think the same token the likeliest
  Perplexity base, model;
};

/// Both models see the same windows: those of the smaller context. Throws Error if their
/// vocabularies differ in size.
Divergence measure_divergence(Evaluator& base, Evaluator& model, const TextRun& run,
                              const ProgressFn& progress = {});

}  // namespace hearth
