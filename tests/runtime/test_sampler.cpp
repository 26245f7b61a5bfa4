#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "base/error.h"
#include "engine/runtime/sampler.h"

namespace hearth {
namespace {

using testing::HasSubstr;

std::vector<float> logits_of(const std::vector<double>& probabilities) {
  std::vector<float> logits;
  for (const double p : probabilities) logits.push_back(static_cast<float>(std::log(p)));
  return logits;
}

SamplingOptions plain(double temperature) {
  SamplingOptions options;
  options.temperature = temperature;
  options.top_k = 0;
  options.top_p = 1.0;
  options.min_p = 0.0;
  return options;
}

// Pearson's statistic of `n` draws against the expected shares.
double chi_square(const SamplingOptions& options, const std::vector<float>& logits,
                  const std::vector<double>& expected, int n) {
  Sampler sampler(options, 2024, static_cast<int>(logits.size()));
  std::vector<int> counts(logits.size());
  for (int i = 0; i < n; ++i) ++counts[static_cast<std::size_t>(sampler.sample(logits, {}))];
  double statistic = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double mean = expected[i] * n;
    if (mean == 0) {
      EXPECT_EQ(counts[i], 0);
    } else {
      statistic += (counts[i] - mean) * (counts[i] - mean) / mean;
    }
  }
  return statistic;
}

// Bounds: the 0.999 quantile of the chi-square distribution.
TEST(Sampler, DrawsFollowTheDistribution) {
  const std::vector<double> p = {0.1, 0.05, 0.4, 0.25, 0.2};
  EXPECT_LT(chi_square(plain(1.0), logits_of(p), p, 50000), 18.47);  // 4 degrees of freedom
  std::vector<double> squared;
  for (const double x : p) squared.push_back(x * x / 0.275);
  EXPECT_LT(chi_square(plain(0.5), logits_of(p), squared, 50000), 18.47);
}

TEST(Sampler, ChainedStagesLeaveTheDistributionWorkedOutByHand) {
  // top-k 4 leaves .4 .25 .2 .1 (of .95); top-p 0.88 of these: .4 .25 .2 reach .895;
  // min-p 0.6 leaves those of at least .24: .4 .25
  SamplingOptions options = plain(1.0);
  options.top_k = 4;
  options.top_p = 0.88;
  options.min_p = 0.6;
  const std::vector<double> expected = {0, 0, 0.4 / 0.65, 0.25 / 0.65, 0};
  EXPECT_LT(chi_square(options, logits_of({0.1, 0.05, 0.4, 0.25, 0.2}), expected, 50000), 10.83);
}

TEST(Sampler, FirstDrawsAreThoseOfThePublishedRandomNumbers) {
  // pcg32(42, 54) gives 0xa15c02b7, 0xba1d3330, 0xbfa4784b as upper halves: 0.6303, 0.7270, 0.7486
  Sampler sampler(plain(1.0), 42, 4);
  const std::vector<float> logits = logits_of({0.6, 0.1, 0.04, 0.26});
  EXPECT_EQ(sampler.sample(logits, {}), 1);
  EXPECT_EQ(sampler.sample(logits, {}), 2);
  EXPECT_EQ(sampler.sample(logits, {}), 3);
}

TEST(Sampler, GreedyTakesTheLowestOfEqualIds) {
  SamplingOptions options;
  options.temperature = 0;
  Sampler sampler(options, 1, 4);
  EXPECT_EQ(sampler.sample(std::vector<float>{1.0f, 3.0f, 3.0f, 2.0f}, {}), 1);
  EXPECT_EQ(sampler.sample(std::vector<float>{-1.0f, -3.0f, -INFINITY, -1.0f}, {}), 0);
}

TEST(Sampler, GreedyRespectsPenaltiesAndBias) {
  SamplingOptions options;
  options.temperature = 0;
  options.repeat_penalty = 4.0;
  options.penalty_window = 2;
  Sampler sampler(options, 1, 3);
  const std::vector<float> logits = {3.0f, 2.0f, 1.0f};
  EXPECT_EQ(sampler.sample(logits, std::vector<TokenId>{0, 2, 2}), 0);  // 0 is out of the window
  EXPECT_EQ(sampler.sample(logits, std::vector<TokenId>{2, 2, 0}), 1);
  options.penalty_window = -1;
  EXPECT_EQ(Sampler(options, 1, 3).sample(logits, std::vector<TokenId>{0, 2, 2}), 1);
  options.logit_bias = {{2, 10.0}};
  EXPECT_EQ(Sampler(options, 1, 3).sample(logits, {}), 2);
}

TEST(Sampler, LogitsThatAreNoNumbersAreAClearError) {
  Sampler sampler(SamplingOptions{}, 1, 3);
  const auto message = [&](std::vector<float> logits) {
    try {
      sampler.sample(logits, {});
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_THAT(message({0.0f, NAN, 1.0f}), HasSubstr("nan for token 1"));
  EXPECT_THAT(message({0.0f, 1.0f, INFINITY}), HasSubstr("inf for token 2"));
  EXPECT_THAT(message({-INFINITY, -INFINITY, -INFINITY}), HasSubstr("at least one finite logit"));
  EXPECT_EQ(message({-INFINITY, 0.0f, -INFINITY}), "");
}

TEST(Sampler, TokensOfNoProbabilityAreNeverDrawn) {
  Sampler sampler(plain(1.0), 3, 4);
  const std::vector<float> logits = {-INFINITY, 0.0f, 0.0f, -INFINITY};
  for (int i = 0; i < 1000; ++i) {
    const TokenId id = sampler.sample(logits, {});
    EXPECT_TRUE(id == 1 || id == 2);
  }
}

TEST(LogProbs, AreThoseOfTheRawDistribution) {
  const std::vector<float> logits = logits_of({0.1, 0.6, 0.3});
  EXPECT_NEAR(log_prob(logits, 0), std::log(0.1), 1e-6);
  const auto top = top_log_probs(logits, 2);
  ASSERT_EQ(top.size(), 2u);
  EXPECT_EQ(top[0].id, 1);
  EXPECT_NEAR(top[0].log_prob, std::log(0.6), 1e-6);
  EXPECT_EQ(top[1].id, 2);
  EXPECT_NEAR(top[1].log_prob, std::log(0.3), 1e-6);
}

}  // namespace
}  // namespace hearth
