#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "engine/runtime/prompt_cache.h"
#include "tests/support/fake_model.h"

namespace hearth {
namespace {

using test::FakeEvaluator;
using testing::ElementsAre;

FakeEvaluator::Next end() {
  return [](std::span<const TokenId>) { return test::kEos; };
}

std::vector<float> fresh_logits(std::span<const TokenId> prompt) {
  FakeEvaluator fresh(1000, end());
  const auto logits = fresh.eval(prompt, {});
  return {logits.begin(), logits.end()};
}

TEST(PromptCache, ComputesOnlyWhatIsNew) {
  FakeEvaluator model(100, end());
  PromptCache cache(model);
  cache.prefill(std::vector<TokenId>{1, 2, 3, 4});
  EXPECT_EQ(cache.reused(), 0);
  cache.append(5);
  EXPECT_THAT(cache.tokens(), ElementsAre(1, 2, 3, 4, 5));
  cache.prefill(std::vector<TokenId>{1, 2, 3, 4, 5, 6});
  EXPECT_EQ(cache.reused(), 5);
  EXPECT_EQ(model.evaluated, 6);
  cache.prefill(std::vector<TokenId>{1, 2, 9});
  EXPECT_EQ(cache.reused(), 2);
  EXPECT_THAT(model.context(), ElementsAre(1, 2, 9));
}

TEST(PromptCache, TheLastTokenIsAlwaysComputed) {
  FakeEvaluator model(100, end());
  PromptCache cache(model);
  const std::vector<TokenId> prompt = {1, 2, 3};
  cache.prefill(prompt);
  const auto again = cache.prefill(prompt);
  EXPECT_EQ(cache.reused(), 2);
  EXPECT_EQ(std::vector<float>(again.begin(), again.end()), fresh_logits(prompt));
  cache.prefill(std::vector<TokenId>{1});
  EXPECT_EQ(cache.reused(), 0);
}

TEST(PromptCache, GivesTheLogitsOfAFreshEvaluation) {
  FakeEvaluator model(1000, end());
  PromptCache cache(model);
  Random random(3);
  for (int round = 0; round < 300; ++round) {
    std::vector<TokenId> prompt;
    for (std::size_t i = 0; i <= random.bits32() % 12; ++i) {
      prompt.push_back(static_cast<TokenId>(1 + random.bits32() % 2));
    }
    const auto logits = cache.prefill(prompt);
    ASSERT_EQ(std::vector<float>(logits.begin(), logits.end()), fresh_logits(prompt));
  }
}

TEST(PromptCache, KnowsWhatIsThereAfterBeingCancelled) {
  FakeEvaluator model(100, end());
  PromptCache cache(model);
  std::vector<TokenId> prompt;
  for (TokenId i = 0; i < 40; ++i) prompt.push_back(i);
  const auto stop_at_16 = [](std::uint64_t done, std::uint64_t) { return done < 16; };
  EXPECT_THROW(cache.prefill(prompt, stop_at_16), Cancelled);
  EXPECT_EQ(cache.tokens().size(), 16u);
  const auto logits = cache.prefill(prompt);
  EXPECT_EQ(cache.reused(), 16);
  EXPECT_EQ(std::vector<float>(logits.begin(), logits.end()), fresh_logits(prompt));
}

// As with layers that have let go of what was further back than their window.
TEST(PromptCache, CountsNothingAsReusedThatIsComputedAgain) {
  FakeEvaluator model(100, end());
  model.reach = 10;
  PromptCache cache(model);
  std::vector<TokenId> prompt;
  for (TokenId i = 0; i < 40; ++i) prompt.push_back(i);
  cache.prefill(prompt);
  prompt.resize(35);
  cache.prefill(prompt);
  EXPECT_EQ(cache.reused(), 34);
  EXPECT_EQ(model.evaluated, 41);
  prompt.resize(20);
  std::uint64_t most = 0;
  const auto logits = cache.prefill(prompt, [&most](std::uint64_t, std::uint64_t total) {
    most = total;
    return true;
  });
  EXPECT_EQ(cache.reused(), 0);
  EXPECT_EQ(model.evaluated, 61);
  EXPECT_EQ(most, 20U) << "all of it is shown as work";
  EXPECT_EQ(std::vector<float>(logits.begin(), logits.end()), fresh_logits(prompt));
  prompt.resize(8);
  EXPECT_THROW(cache.prefill(prompt, [](std::uint64_t, std::uint64_t) { return false; }),
               Cancelled);
  EXPECT_TRUE(cache.tokens().empty());
}

TEST(PromptCache, KnowsWhatIsThereAfterAnError) {
  FakeEvaluator model(4, end());
  PromptCache cache(model);
  cache.prefill(std::vector<TokenId>{1, 2, 3, 4});
  EXPECT_TRUE(cache.is_full());
  EXPECT_THROW(cache.append(5), Error);
  EXPECT_THAT(cache.tokens(), ElementsAre(1, 2, 3, 4));
}

}  // namespace
}  // namespace hearth
