// The stages between a model's logits and the draw of a token: a table in the order of application,
// each stage a small function over the candidates that are left.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "tokenizer/vocab.h"

namespace hearth {

/// What shapes the choice of a token. A stage whose value says "off" does not run.
struct SamplingOptions {
  double temperature = 0.8;        // 0: always the likeliest token (greedy)
  int top_k = 40;                  // only the k likeliest tokens; 0: off
  double top_p = 0.95;             // the likeliest tokens that together reach p; 1: off
  double min_p = 0.05;             // only tokens at least this likely relative to the best; 0: off
  double repeat_penalty = 1.0;     // logits of recent tokens divided (or multiplied) by it; 1: off
  double presence_penalty = 0.0;   // taken from the logit of every recent token; 0: off
  double frequency_penalty = 0.0;  // taken once per recent occurrence; 0: off
  int penalty_window = 64;         // "recent": this many last tokens; -1: the whole context
  std::vector<std::pair<TokenId, double>> logit_bias =
      {};                                     // added to a token's logit; -inf bans it
  std::vector<TokenId> never_penalised = {};  // sorted; e.g. the tokens that end an answer
};

/// Throws Error naming the option that is out of its range.
void check_sampling_options(const SamplingOptions& options, int n_vocab);

struct Candidate {
  TokenId id;
  float logit;
};

/// Before the first stage that removes any, candidate i is token i. A stage that removes leaves
/// either the order as it was or the best first; equal logits stand in the order of their ids.
using Candidates = std::vector<Candidate>;

/// Leaves the `k` best (all, if there are fewer), best first. Linear in the number of candidates
/// for small k: a vocabulary of 256 k is one pass of a compare per token, not a sort.
void select_top(Candidates& candidates, std::size_t k);

/// e^(logit - best logit) of each candidate, in their order, into `weights`; returns the sum.
double softmax_weights(std::span<const Candidate> candidates, std::vector<double>& weights);

struct SamplingStage {
  std::string_view name;
  bool (*active)(const SamplingOptions& options);
  /// `recent`: the last tokens of the context, as many as the penalty window holds.
  void (*apply)(Candidates& candidates, const SamplingOptions& options,
                std::span<const TokenId> recent);
};

/// In the order in which they are applied: logit_bias, penalties, top_k, top_p, min_p, temperature.
std::span<const SamplingStage> sampling_stages();

}  // namespace hearth
