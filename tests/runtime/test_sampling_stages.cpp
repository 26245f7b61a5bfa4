#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "base/error.h"
#include "base/random.h"
#include "engine/runtime/sampling_stages.h"

namespace hearth {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pointwise;

// Token i has probability p[i].
Candidates with_probabilities(const std::vector<double>& p) {
  Candidates candidates;
  for (std::size_t i = 0; i < p.size(); ++i) {
    candidates.push_back({static_cast<TokenId>(i), static_cast<float>(std::log(p[i]))});
  }
  return candidates;
}

std::vector<TokenId> ids(const Candidates& candidates) {
  std::vector<TokenId> result;
  for (const Candidate& c : candidates) result.push_back(c.id);
  return result;
}

// What a draw would give each token, by the C library.
std::vector<double> probabilities(const Candidates& candidates, std::size_t n) {
  std::vector<double> p(n, 0.0);
  double sum = 0;
  for (const Candidate& c : candidates) sum += std::exp(static_cast<double>(c.logit));
  for (const Candidate& c : candidates) {
    p[static_cast<std::size_t>(c.id)] = std::exp(static_cast<double>(c.logit)) / sum;
  }
  return p;
}

SamplingOptions all_off() {
  SamplingOptions options;
  options.temperature = 1.0;
  options.top_k = 0;
  options.top_p = 1.0;
  options.min_p = 0.0;
  return options;
}

// Runs the stages that are active; `which` checks that it is only the one the test is about.
Candidates run(std::string_view which, Candidates candidates, const SamplingOptions& options,
               std::vector<TokenId> recent = {}) {
  for (const SamplingStage& stage : sampling_stages()) {
    if (!stage.active(options)) continue;
    EXPECT_EQ(stage.name, which);
    stage.apply(candidates, options, recent);
  }
  return candidates;
}

TEST(SamplingStages, NoneIsActiveWhenAllAreOff) {
  EXPECT_THAT(ids(run("none", with_probabilities({0.5, 0.3, 0.2}), all_off())),
              ElementsAre(0, 1, 2));
}

TEST(SamplingStages, TopKKeepsTheBestAndBreaksTiesByTheLowerId) {
  SamplingOptions options = all_off();
  options.top_k = 3;
  EXPECT_THAT(ids(run("top_k", with_probabilities({0.1, 0.3, 0.1, 0.4, 0.1}), options)),
              ElementsAre(3, 1, 0));
  options.top_k = 99;
  EXPECT_EQ(run("top_k", with_probabilities({0.6, 0.4}), options).size(), 2u);
}

TEST(SamplingStages, TopPKeepsTheSmallestSetThatReachesP) {
  SamplingOptions options = all_off();
  const std::vector<double> p = {0.15, 0.4, 0.05, 0.3, 0.1};
  const auto kept = [&](double top_p) {
    options.top_p = top_p;
    return ids(run("top_p", with_probabilities(p), options));
  };
  EXPECT_THAT(kept(0.0), ElementsAre(1));
  EXPECT_THAT(kept(0.39), ElementsAre(1));
  EXPECT_THAT(kept(0.41), ElementsAre(1, 3));
  EXPECT_THAT(kept(0.84), ElementsAre(1, 3, 0));
  EXPECT_THAT(kept(0.86), ElementsAre(1, 3, 0, 4));
  EXPECT_THAT(kept(0.96), ElementsAre(1, 3, 0, 4, 2));
}

TEST(SamplingStages, TopPLooksFurtherThanItsFirstGuess) {
  // 4000 equal tokens: 0.9 of the mass is the 3600 lowest ids
  SamplingOptions options = all_off();
  options.top_p = 0.9 - 1e-6;
  const Candidates kept =
      run("top_p", with_probabilities(std::vector<double>(4000, 0.25)), options);
  ASSERT_EQ(kept.size(), 3600u);
  EXPECT_EQ(kept.front().id, 0);
  EXPECT_EQ(kept.back().id, 3599);
}

TEST(SamplingStages, MinPIsRelativeToTheBest) {
  SamplingOptions options = all_off();
  const std::vector<double> p = {0.04, 0.5, 0.06, 0.3, 0.1};
  options.min_p = 0.1;  // at least 0.05
  EXPECT_THAT(ids(run("min_p", with_probabilities(p), options)), ElementsAre(1, 2, 3, 4));
  options.min_p = 1.0;
  EXPECT_THAT(ids(run("min_p", with_probabilities(p), options)), ElementsAre(1));
}

TEST(SamplingStages, TemperatureRaisesProbabilitiesToItsInverse) {
  SamplingOptions options = all_off();
  options.temperature = 0.5;  // p^2, normalised: 0.25 0.09 0.04 over 0.38
  EXPECT_THAT(probabilities(run("temperature", with_probabilities({0.5, 0.3, 0.2}), options), 3),
              Pointwise(DoubleNear(1e-6), {0.25 / 0.38, 0.09 / 0.38, 0.04 / 0.38}));
  options.temperature = 1e-30;
  EXPECT_THAT(probabilities(run("temperature", with_probabilities({0.5, 0.3, 0.2}), options), 3),
              ElementsAre(1.0, 0.0, 0.0));
}

TEST(SamplingStages, GreedyNeedsNoStageThatKeepsTheBest) {
  SamplingOptions options;
  options.temperature = 0;
  for (const SamplingStage& stage : sampling_stages()) EXPECT_FALSE(stage.active(options));
}

TEST(SamplingStages, LogitBiasMultipliesTheOdds) {
  SamplingOptions options = all_off();
  options.logit_bias = {{0, std::log(2.0)}, {2, -INFINITY}};  // 0.5*2, 0.3, none: over 1.3
  EXPECT_THAT(probabilities(run("logit_bias", with_probabilities({0.5, 0.3, 0.2}), options), 3),
              Pointwise(DoubleNear(1e-6), {1.0 / 1.3, 0.3 / 1.3, 0.0}));
}

TEST(SamplingStages, BanningEveryTokenIsAnError) {
  SamplingOptions options = all_off();
  options.logit_bias = {{0, -INFINITY}, {1, -INFINITY}};
  EXPECT_THROW(run("logit_bias", with_probabilities({0.5, 0.5}), options), Error);
}

TEST(SamplingStages, PenaltiesFollowTheirFormulas) {
  const Candidates logits = {{0, 2.0f}, {1, -2.0f}, {2, 1.0f}, {3, 1.0f}};
  const std::vector<TokenId> recent = {0, 1, 0, 3};
  const auto after = [&](const SamplingOptions& options) {
    std::vector<float> result;
    for (const Candidate& c : run("penalties", logits, options, recent)) result.push_back(c.logit);
    return result;
  };
  SamplingOptions options = all_off();
  options.repeat_penalty = 2.0;  // positive halved, negative doubled, once per token
  EXPECT_THAT(after(options), ElementsAre(1.0f, -4.0f, 1.0f, 0.5f));
  options.repeat_penalty = 1.0;
  options.presence_penalty = 0.5;
  EXPECT_THAT(after(options), ElementsAre(1.5f, -2.5f, 1.0f, 0.5f));
  options.presence_penalty = 0.0;
  options.frequency_penalty = 0.25;
  EXPECT_THAT(after(options), ElementsAre(1.5f, -2.25f, 1.0f, 0.75f));
  options.never_penalised = {0};
  EXPECT_THAT(after(options), ElementsAre(2.0f, -2.25f, 1.0f, 0.75f));
}

TEST(SamplingStages, SelectTopAgreesWithASort) {
  Random random(1);
  for (const std::size_t n : {1u, 2u, 50u, 1000u, 20000u}) {
    Candidates all;
    for (std::size_t i = 0; i < n; ++i) {
      const float logit = static_cast<float>(random.bits32() % 97);  // many ties
      all.push_back({static_cast<TokenId>(i), i % 7 == 0 ? -INFINITY : logit});
    }
    Candidates sorted = all;
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](const Candidate& a, const Candidate& b) { return a.logit > b.logit; });
    for (const std::size_t k : {0u, 1u, 5u, 40u, 700u, 30000u}) {
      Candidates top = all;
      select_top(top, k);
      const auto expected = ids({sorted.begin(), sorted.begin() + std::ptrdiff_t(std::min(k, n))});
      EXPECT_EQ(ids(top), expected) << n << " " << k;
    }
  }
}

TEST(SamplingOptions, OutOfRangeIsAnErrorThatNamesTheOption) {
  const auto message = [](auto change) {
    SamplingOptions options;
    change(options);
    try {
      check_sampling_options(options, 100);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(message([](auto&) {}), "");
  EXPECT_THAT(message([](auto& o) { o.temperature = -1; }), HasSubstr("temperature"));
  EXPECT_THAT(message([](auto& o) { o.temperature = NAN; }), HasSubstr("nan"));
  EXPECT_THAT(message([](auto& o) { o.top_k = -3; }), HasSubstr("top-k"));
  EXPECT_THAT(message([](auto& o) { o.top_p = 1.5; }), HasSubstr("top-p"));
  EXPECT_THAT(message([](auto& o) { o.repeat_penalty = 0; }), HasSubstr("repeat-penalty"));
  EXPECT_THAT(message([](auto& o) { o.penalty_window = -2; }), HasSubstr("penalty-window"));
  EXPECT_THAT(message([](auto& o) { o.logit_bias = {{100, 1.0}}; }), HasSubstr("below 100"));
  EXPECT_THAT(message([](auto& o) { o.logit_bias = {{1, INFINITY}}; }), HasSubstr("logit-bias"));
}

}  // namespace
}  // namespace hearth
