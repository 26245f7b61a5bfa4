// Chooses the next token: the chain of stages, then one draw. Same seed, same logits, same token,
// on every machine.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/random.h"
#include "engine/runtime/sampling_stages.h"
#include "tokenizer/vocab.h"

namespace hearth {

class Sampler {
 public:
  /// Throws Error naming an option that is out of its range.
  Sampler(SamplingOptions options, std::uint64_t seed, int n_vocab);

  const SamplingOptions& options() const { return options_; }

  /// Whether sample() takes the largest logit whatever came before: temperature 0, and nothing that
  /// changes logits.
  bool takes_the_likeliest() const;

  /// The next token. `logits` is [n_vocab]; `context` is every token so far, prompt included, of
  /// which the penalties look at the last ones. Temperature 0 takes the largest logit, of equal
  /// ones the lowest id, and leaves the random numbers alone. Throws Error if a logit is NaN or
  /// +infinity, or none is finite.
  TokenId sample(std::span<const float> logits, std::span<const TokenId> context);

 private:
  TokenId draw();

  SamplingOptions options_;
  Random random_;
  int n_vocab_;
  Candidates candidates_;        // scratch, kept between calls
  std::vector<double> weights_;  // scratch
};

struct TokenLogProb {
  TokenId id;
  double log_prob;  // natural logarithm, from the raw logits: before bias, penalties, temperature
};

/// The log-probability of `id` under softmax of `logits` [n_vocab].
double log_prob(std::span<const float> logits, TokenId id);

/// The `n` likeliest tokens, best first.
std::vector<TokenLogProb> top_log_probs(std::span<const float> logits, std::size_t n);

/// Throws Error if a logit is NaN or +infinity, or if none is finite.
void check_logits(std::span<const float> logits);

}  // namespace hearth
