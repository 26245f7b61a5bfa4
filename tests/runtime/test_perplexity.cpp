#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "engine/runtime/perplexity.h"
#include "tests/support/fake_model.h"

namespace hearth {
namespace {

/// Predicts by the last token alone: row `t` of `table` are the probabilities after token t.
class Bigrams : public test::OneByOne {
 public:
  Bigrams(int n_ctx, std::vector<std::vector<double>> table)
      : n_ctx_(n_ctx), table_(std::move(table)) {}

  int n_vocab() const override { return static_cast<int>(table_[0].size()); }
  int n_ctx() const override { return n_ctx_; }
  int n_past() const override { return static_cast<int>(fed_.size()); }
  int truncate(int n) override {
    fed_.resize(static_cast<std::size_t>(n));
    return n;
  }

  std::span<const float> eval(std::span<const std::int32_t> tokens, const ProgressFn&) override {
    fed_.insert(fed_.end(), tokens.begin(), tokens.end());
    HEARTH_CHECK(n_past() <= n_ctx_);
    logits_.clear();
    for (const double p : table_[static_cast<std::size_t>(fed_.back())]) {
      logits_.push_back(static_cast<float>(std::log(p)));
    }
    return logits_;
  }

 private:
  int n_ctx_;
  std::vector<std::vector<double>> table_;
  std::vector<TokenId> fed_;
  std::vector<float> logits_;
};

const std::vector<std::vector<double>> kTable = {
    {0.5, 0.25, 0.25}, {0.125, 0.75, 0.125}, {0.6, 0.3, 0.1}};

TEST(Perplexity, OfAHandComputedText) {
  // 0 1 1 2 0: P(1|0) P(1|1) P(2|1) P(0|2) = 0.25, 0.75, 0.125, 0.6
  const std::vector<TokenId> text = {0, 1, 1, 2, 0};
  const std::vector<double> nll = {-std::log(0.25), -std::log(0.75), -std::log(0.125),
                                   -std::log(0.6)};
  const double mean = (nll[0] + nll[1] + nll[2] + nll[3]) / 4;
  double squares = 0;
  for (const double x : nll) squares += (x - mean) * (x - mean);
  Bigrams model(100, kTable);
  const Perplexity result = measure_perplexity(model, {.tokens = text});
  EXPECT_EQ(result.tokens, 4u);
  EXPECT_NEAR(result.negative_log_likelihood.value, mean, 1e-7);
  EXPECT_NEAR(result.negative_log_likelihood.error, std::sqrt(squares / 3 / 4), 1e-7);
  EXPECT_NEAR(result.value(), std::pow(0.25 * 0.75 * 0.125 * 0.6, -0.25), 1e-6);
}

TEST(Perplexity, ABosGivesTheFirstTokenAContext) {
  Bigrams model(100, kTable);
  const std::vector<TokenId> text = {1};
  const Perplexity result = measure_perplexity(model, {.tokens = text, .bos = 2});
  EXPECT_EQ(result.tokens, 1u);
  EXPECT_NEAR(result.value(), 1 / 0.3, 1e-6);
}

TEST(Perplexity, DoesNotDependOnTheWindowsWhenTheModelHasNoMemory) {
  std::vector<TokenId> text;
  for (TokenId i = 0; i < 101; ++i) text.push_back((i * i / 3) % 3);
  Bigrams large(1000, kTable);
  const double whole = measure_perplexity(large, {.tokens = text}).value();
  for (const int n_ctx : {1, 2, 7, 50, 100, 101}) {
    for (const int stride : {0, 1, n_ctx}) {
      Bigrams model(n_ctx, kTable);
      const Perplexity windowed = measure_perplexity(model, {.tokens = text, .stride = stride});
      EXPECT_EQ(windowed.tokens, 100u);
      EXPECT_NEAR(windowed.value(), whole, 1e-9) << n_ctx << " " << stride;
    }
  }
}

TEST(Perplexity, CanBeCancelled) {
  Bigrams model(10, kTable);
  const std::vector<TokenId> text(100, 1);
  EXPECT_THROW(measure_perplexity(model, {.tokens = text},
                                  [](std::uint64_t done, std::uint64_t) { return done < 30; }),
               Cancelled);
}

TEST(Divergence, OfHandComputedDistributions) {
  // base (1/2 1/4 1/4), model (1/4 1/2 1/4): 1/2 ln 2 + 1/4 ln 1/2 = 1/4 ln 2 each time
  const std::vector<std::vector<double>> base(3, {0.5, 0.25, 0.25}), other(3, {0.25, 0.5, 0.25});
  const std::vector<TokenId> text = {0, 1, 2, 0, 1};
  Bigrams a(3, base), b(100, other);
  const Divergence result = measure_divergence(a, b, {.tokens = text});
  EXPECT_EQ(result.tokens, 4u);
  EXPECT_NEAR(result.kl.value, 0.25 * std::log(2.0), 1e-7);
  EXPECT_NEAR(result.kl.error, 0.0, 1e-9);
  EXPECT_NEAR(result.largest_kl, 0.25 * std::log(2.0), 1e-7);
  EXPECT_EQ(result.same_top, 0.0);
  Bigrams c(3, base), d(3, base);
  const Divergence same = measure_divergence(c, d, {.tokens = text});
  EXPECT_EQ(same.kl.value, 0.0);
  EXPECT_EQ(same.same_top, 1.0);
}

TEST(Divergence, SeesThePerplexityOfBoth) {
  std::vector<TokenId> text;
  for (TokenId i = 0; i < 40; ++i) text.push_back((i * 7 / 4) % 3);
  const std::vector<std::vector<double>> flat(3, {0.4, 0.3, 0.3});
  Bigrams a(9, kTable), b(9, flat);
  const Divergence result = measure_divergence(a, b, {.tokens = text, .bos = 0});
  EXPECT_EQ(result.base.value(), measure_perplexity(a, {.tokens = text, .bos = 0}).value());
  EXPECT_EQ(result.model.value(), measure_perplexity(b, {.tokens = text, .bos = 0}).value());
  EXPECT_GT(result.largest_kl, result.kl.value);
}

TEST(Divergence, NeedsOneVocabulary) {
  Bigrams a(9, kTable), b(9, {{0.5, 0.5}, {0.5, 0.5}});
  const std::vector<TokenId> text = {0, 1};
  EXPECT_THROW(measure_divergence(a, b, {.tokens = text}), Error);
}

TEST(TextWindows, ScoreEveryTokenOnceWithEnoughContext) {
  for (const bool with_bos : {false, true}) {
    for (int n_ctx = 1; n_ctx <= 9; ++n_ctx) {
      for (int stride = 1; stride <= n_ctx; ++stride) {
        for (std::size_t n = 2; n <= 30; ++n) {
          std::size_t next = with_bos ? 0 : 1;
          for (const TextWindow& w : text_windows(n, n_ctx, stride, with_bos)) {
            ASSERT_EQ(w.scored, next);
            ASSERT_LT(w.scored, w.end);
            const std::size_t fed = w.end - w.begin - (with_bos ? 0 : 1);
            ASSERT_LE(fed, static_cast<std::size_t>(n_ctx));
            if (w.begin > 0) {
              ASSERT_GE(w.scored - w.begin + with_bos,
                        static_cast<std::size_t>(n_ctx - stride + 1));
            }
            next = w.end;
          }
          ASSERT_EQ(next, n);
        }
      }
    }
  }
}

TEST(TextWindows, SenselessNumbersAreErrors) {
  EXPECT_THROW(text_windows(10, 4, 5, false), Error);
  EXPECT_THROW(text_windows(10, 4, -1, false), Error);
  EXPECT_THROW(text_windows(1, 4, 0, false), Error);
  EXPECT_THROW(text_windows(0, 4, 0, true), Error);
}

}  // namespace
}  // namespace hearth
