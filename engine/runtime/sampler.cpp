#include "engine/runtime/sampler.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <utility>

#include "base/error.h"
#include "base/stable_math.h"

namespace hearth {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

Candidates all_candidates(std::span<const float> logits, Candidates storage) {
  storage.resize(logits.size());
  for (std::size_t i = 0; i < logits.size(); ++i) {
    storage[i] = {static_cast<TokenId>(i), logits[i]};
  }
  return storage;
}

[[noreturn]] void refuse_logits(std::span<const float> logits) {
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (logits[i] < kInfinity) continue;
    throw Error(Error::Parts{.where = "sampling",
                             .what = "the model's output is not a number; its file may be damaged",
                             .expected = "finite logits",
                             .got = fmt::format("{} for token {}", logits[i], i)});
  }
  throw Error(Error::Parts{.where = "sampling",
                           .what = "no token is left to choose from",
                           .expected = "at least one finite logit",
                           .got = fmt::format("-inf for all {} tokens", logits.size())});
}

}  // namespace

void check_logits(std::span<const float> logits) {
  // On the bits, so that the loop vectorises: an exponent of all ones is infinity or NaN.
  constexpr std::uint32_t kExponent = 0x7F800000u, kMinusInfinity = 0xFF800000u;
  std::uint32_t not_finite = 0, masked = 0;
  for (const float logit : logits) {
    const auto bits = std::bit_cast<std::uint32_t>(logit);
    not_finite += (bits & kExponent) == kExponent;
    masked += bits == kMinusInfinity;
  }
  if (not_finite != masked || masked == logits.size()) refuse_logits(logits);
}

Sampler::Sampler(SamplingOptions options, std::uint64_t seed, int n_vocab)
    : options_(std::move(options)), random_(seed), n_vocab_(n_vocab) {
  check_sampling_options(options_, n_vocab);
}

bool Sampler::takes_the_likeliest() const {
  const auto stages = sampling_stages();
  return options_.temperature == 0 &&
         std::none_of(stages.begin(), stages.end(),
                      [&](const SamplingStage& stage) { return stage.active(options_); });
}

TokenId Sampler::sample(std::span<const float> logits, std::span<const TokenId> context) {
  HEARTH_CHECK(logits.size() == static_cast<std::size_t>(n_vocab_));
  check_logits(logits);
  const auto window = static_cast<std::size_t>(options_.penalty_window);  // -1: the largest size
  const auto recent = context.last(std::min(context.size(), window));
  candidates_ = all_candidates(logits, std::move(candidates_));
  for (const SamplingStage& stage : sampling_stages()) {
    if (stage.active(options_)) stage.apply(candidates_, options_, recent);
  }
  return draw();
}

TokenId Sampler::draw() {
  // Equal logits stand in the order of their ids, and the first of the largest is found.
  const auto best = [this] {
    return std::max_element(
               candidates_.begin(), candidates_.end(),
               [](const Candidate& a, const Candidate& b) { return a.logit < b.logit; })
        ->id;
  };
  if (options_.temperature == 0 || candidates_.size() == 1) return best();
  double left = random_.uniform() * softmax_weights(candidates_, weights_);
  for (std::size_t i = 0; i < candidates_.size(); ++i) {
    left -= weights_[i];
    if (left < 0) return candidates_[i].id;
  }
  return best();  // the sum was rounded up past the last weight
}

double log_prob(std::span<const float> logits, TokenId id) {
  return logits[static_cast<std::size_t>(id)] - log_sum_exp(logits);
}

std::vector<TokenLogProb> top_log_probs(std::span<const float> logits, std::size_t n) {
  const double total = log_sum_exp(logits);
  Candidates best = all_candidates(logits, {});
  select_top(best, n);
  std::vector<TokenLogProb> top;
  top.reserve(best.size());
  for (const Candidate& c : best) top.push_back({c.id, c.logit - total});
  return top;
}

}  // namespace hearth
