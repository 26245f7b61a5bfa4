#include "engine/runtime/sampling_stages.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <string>
#include <unordered_map>

#include "base/error.h"
#include "base/stable_math.h"

namespace hearth {
namespace {

bool better(const Candidate& a, const Candidate& b) {
  return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
}

float best_logit(std::span<const Candidate> candidates) {
  float best = candidates[0].logit;
  for (const Candidate& c : candidates) best = std::max(best, c.logit);
  return best;
}

// Nearest float, but never an infinity that `x` is not.
float narrow(double x) {
  constexpr double kMost = std::numeric_limits<float>::max();
  return static_cast<float>(std::isinf(x) ? x : std::clamp(x, -kMost, kMost));
}

void add_logit_bias(Candidates& candidates, const SamplingOptions& options,
                    std::span<const TokenId> /*recent*/) {
  for (const auto& [id, bias] : options.logit_bias) {
    float& logit = candidates[static_cast<std::size_t>(id)].logit;
    logit = narrow(logit + bias);
  }
  if (best_logit(candidates) == -std::numeric_limits<float>::infinity()) {
    throw Error(Error::Parts{.where = "logit-bias",
                             .what = "no token is left to choose from",
                             .expected = "at least one possible token without a bias of -inf",
                             .got = fmt::format("{} banned", options.logit_bias.size())});
  }
}

// Repeat penalty: Keskar et al. 2019, "CTRL", section 4.1, with the sign respected so that the
// penalty always lowers a logit. Presence and frequency: as OpenAI's API reference defines them.
void penalise_recent(Candidates& candidates, const SamplingOptions& options,
                     std::span<const TokenId> recent) {
  std::unordered_map<TokenId, int> counts;
  for (const TokenId id : recent) {
    const auto& exempt = options.never_penalised;
    if (!std::binary_search(exempt.begin(), exempt.end(), id)) ++counts[id];
  }
  for (const auto& [id, count] : counts) {
    double logit = candidates[static_cast<std::size_t>(id)].logit;
    logit = logit > 0 ? logit / options.repeat_penalty : logit * options.repeat_penalty;
    logit -= options.presence_penalty + options.frequency_penalty * count;
    candidates[static_cast<std::size_t>(id)].logit = narrow(logit);
  }
}

void keep_top_k(Candidates& candidates, const SamplingOptions& options,
                std::span<const TokenId> /*recent*/) {
  select_top(candidates, static_cast<std::size_t>(options.top_k));
}

// How many of `best` (best first) it takes to reach `goal`; 0 if all of them do not.
std::size_t nucleus_size(std::span<const Candidate> best, double goal) {
  double reached = 0.0;
  const double top = best[0].logit;
  for (std::size_t i = 0; i < best.size(); ++i) {
    reached += stable_exp(best[i].logit - top);
    if (reached >= goal) return i + 1;
  }
  return 0;
}

// The smallest set of likeliest tokens whose probabilities reach p: Holtzman et al. 2020, "The
// Curious Case of Neural Text Degeneration". Few tokens usually do, so a few are sorted first, and
// more only if they do not suffice.
void keep_top_p(Candidates& candidates, const SamplingOptions& options,
                std::span<const TokenId> /*recent*/) {
  std::vector<double> weights;
  const double goal = options.top_p * softmax_weights(candidates, weights);
  for (std::size_t k = 256;; k *= 8) {
    Candidates best = candidates;
    select_top(best, k);
    const std::size_t enough = nucleus_size(best, goal);
    if (enough == 0 && best.size() < candidates.size()) continue;
    if (enough > 0) best.resize(enough);
    candidates = std::move(best);
    return;
  }
}

void keep_min_p(Candidates& candidates, const SamplingOptions& options,
                std::span<const TokenId> /*recent*/) {
  constexpr double kSmallest = 1e-300;  // a normal number, far below any share that matters
  const double least = best_logit(candidates) + stable_log(std::max(options.min_p, kSmallest));
  std::erase_if(candidates, [least](const Candidate& c) { return c.logit < least; });
}

void divide_by_temperature(Candidates& candidates, const SamplingOptions& options,
                           std::span<const TokenId> /*recent*/) {
  // Relative to the best, so that a tiny temperature cannot overflow.
  const double best = best_logit(candidates);
  for (Candidate& c : candidates) {
    c.logit = narrow((c.logit - best) / options.temperature);
  }
}

using Options = SamplingOptions;

constexpr SamplingStage kStages[] = {
    {"logit_bias", [](const Options& o) { return !o.logit_bias.empty(); }, add_logit_bias},
    {"penalties",
     [](const Options& o) {
       return o.penalty_window != 0 &&
              (o.repeat_penalty != 1.0 || o.presence_penalty != 0.0 || o.frequency_penalty != 0.0);
     },
     penalise_recent},
    // What follows cannot change which token is the likeliest: not needed when that one is taken.
    {"top_k", [](const Options& o) { return o.temperature > 0 && o.top_k > 0; }, keep_top_k},
    {"top_p", [](const Options& o) { return o.temperature > 0 && o.top_p < 1.0; }, keep_top_p},
    {"min_p", [](const Options& o) { return o.temperature > 0 && o.min_p > 0; }, keep_min_p},
    {"temperature", [](const Options& o) { return o.temperature > 0 && o.temperature != 1.0; },
     divide_by_temperature},
};

struct Range {
  std::string_view option;
  double SamplingOptions::*value;
  double least, most;
};

constexpr Range kRanges[] = {
    {"temperature", &SamplingOptions::temperature, 0.0, 100.0},
    {"top-p", &SamplingOptions::top_p, 0.0, 1.0},
    {"min-p", &SamplingOptions::min_p, 0.0, 1.0},
    {"repeat-penalty", &SamplingOptions::repeat_penalty, 0.01, 100.0},
    {"presence-penalty", &SamplingOptions::presence_penalty, -100.0, 100.0},
    {"frequency-penalty", &SamplingOptions::frequency_penalty, -100.0, 100.0},
};

[[noreturn]] void out_of_range(std::string_view option, std::string expected, std::string got) {
  throw Error(Error::Parts{.where = std::string(option),
                           .what = "value out of range",
                           .expected = std::move(expected),
                           .got = std::move(got)});
}

}  // namespace

void check_sampling_options(const SamplingOptions& options, int n_vocab) {
  for (const Range& range : kRanges) {
    const double value = options.*range.value;
    if (!(value >= range.least && value <= range.most)) {
      out_of_range(range.option, fmt::format("a number from {} to {}", range.least, range.most),
                   fmt::format("{}", value));
    }
  }
  if (options.top_k < 0) {
    out_of_range("top-k", "a count of tokens, or 0 for all", std::to_string(options.top_k));
  }
  if (options.penalty_window < -1) {
    out_of_range("penalty-window", "a count of tokens, or -1 for the whole context",
                 std::to_string(options.penalty_window));
  }
  for (const auto& [id, bias] : options.logit_bias) {
    if (id < 0 || id >= n_vocab) {
      out_of_range("logit-bias", fmt::format("a token id below {}", n_vocab), std::to_string(id));
    }
    constexpr double kMost = 1e6;
    if (!(std::abs(bias) <= kMost || bias == -std::numeric_limits<double>::infinity())) {
      out_of_range("logit-bias", fmt::format("a number from {} to {}, or -inf", -kMost, kMost),
                   fmt::format("{}", bias));
    }
  }
}

void select_top(Candidates& candidates, std::size_t k) {
  if (k == 0) {
    candidates.clear();
    return;
  }
  // The front of the list holds the best so far and those that beat the k-th best known; when it
  // has grown to twice k it is cut back to k. Most candidates fail the one comparison.
  const std::size_t capacity = 2 * k + 32;
  if (k < candidates.size()) {
    const auto begin = candidates.begin();
    std::size_t kept = 0;
    Candidate bar{-1, -std::numeric_limits<float>::infinity()};
    bool has_bar = false;
    const auto cut = [&] {
      std::nth_element(begin, begin + static_cast<std::ptrdiff_t>(k - 1),
                       begin + static_cast<std::ptrdiff_t>(kept), better);
      bar = candidates[k - 1];
      has_bar = true;
      kept = k;
    };
    for (const Candidate c : candidates) {
      if (has_bar && !better(c, bar)) continue;
      candidates[kept++] = c;
      if (kept == capacity) cut();
    }
    if (kept > k) cut();
    candidates.resize(kept);
  }
  std::sort(candidates.begin(), candidates.end(), better);
}

double softmax_weights(std::span<const Candidate> candidates, std::vector<double>& weights) {
  const double best = best_logit(candidates);
  weights.resize(candidates.size());
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    weights[i] = stable_exp(candidates[i].logit - best);
  }
  // Four running sums: a fixed order that does not wait for one addition after the other.
  std::array<double, 4> sums{};
  for (std::size_t i = 0; i < weights.size(); ++i) sums[i % 4] += weights[i];
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

std::span<const SamplingStage> sampling_stages() {
  return kStages;
}

}  // namespace hearth
