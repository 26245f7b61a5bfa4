#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <random>
#include <string>
#include <vector>

#include "tokenizer/token_matcher.h"

namespace hearth {
namespace {

using Patterns = std::vector<std::pair<std::string_view, TokenId>>;

std::vector<std::string> found(const Patterns& patterns, std::string_view text) {
  std::vector<std::string> out;
  for (const TokenMatch& match : TokenMatcher(patterns).find(text)) {
    out.push_back(std::to_string(match.begin) + "-" + std::to_string(match.end) + "=" +
                  std::to_string(match.id));
  }
  return out;
}

TEST(TokenMatcher, WithoutPatternsFindsNothing) {
  EXPECT_TRUE(TokenMatcher().find("abc").empty());
  EXPECT_TRUE(found({}, "abc").empty());
  EXPECT_TRUE(found({{"", 1}}, "abc").empty());
}

TEST(TokenMatcher, TakesTheLeftmostAndOfThoseTheLongest) {
  const Patterns patterns = {{"ab", 1}, {"abcd", 2}, {"bcdef", 3}, {"c", 4}};
  EXPECT_THAT(found(patterns, "abcdef"), testing::ElementsAre("0-4=2"));
  EXPECT_THAT(found(patterns, "abcx"), testing::ElementsAre("0-2=1", "2-3=4"));
  EXPECT_THAT(found(patterns, "xbcdef"), testing::ElementsAre("1-6=3"));
  EXPECT_THAT(found(patterns, "xyz"), testing::IsEmpty());
}

TEST(TokenMatcher, OfEqualPatternsTheFirstCounts) {
  EXPECT_THAT(found({{"ab", 7}, {"ab", 3}}, "ab"), testing::ElementsAre("0-2=7"));
}

TEST(TokenMatcher, FindsBytesOfAnyValue) {
  const std::string nul("a\0\xFF", 3);
  EXPECT_THAT(found({{nul, 1}}, "x" + nul + nul), testing::ElementsAre("1-4=1", "4-7=1"));
}

// The definition itself: at each byte the longest pattern that starts there, else one byte on.
std::vector<TokenMatch> by_definition(const Patterns& patterns, std::string_view text) {
  std::vector<TokenMatch> matches;
  for (std::size_t i = 0; i < text.size();) {
    TokenMatch best{i, i, kNoToken};
    for (const auto& [pattern, id] : patterns) {
      if (text.substr(i).starts_with(pattern) && i + pattern.size() > best.end)
        best = {i, i + pattern.size(), id};
    }
    if (best.id == kNoToken) {
      ++i;
    } else {
      matches.push_back(best);
      i = best.end;
    }
  }
  return matches;
}

TEST(TokenMatcher, AgreesWithTheDefinitionOnRandomTexts) {
  std::mt19937 random(20260101);
  const auto word = [&random](std::size_t longest, int letters) {
    std::string out(1 + random() % longest, ' ');
    for (char& c : out) c = static_cast<char>('a' + random() % static_cast<unsigned>(letters));
    return out;
  };
  for (int round = 0; round < 500; ++round) {
    const int letters = 1 + round % 3;
    std::vector<std::string> texts;
    for (std::size_t n = 1 + random() % 12; n > 0; --n) texts.push_back(word(6, letters));
    Patterns patterns;
    for (std::size_t i = 0; i < texts.size(); ++i)
      patterns.emplace_back(texts[i], static_cast<TokenId>(i));
    const std::string text = word(60, letters);
    const auto expected = by_definition(patterns, text);
    const auto actual = TokenMatcher(patterns).find(text);
    ASSERT_EQ(actual.size(), expected.size()) << text;
    for (std::size_t i = 0; i < actual.size(); ++i) {
      EXPECT_EQ(actual[i].begin, expected[i].begin) << text;
      EXPECT_EQ(actual[i].end, expected[i].end) << text;
      EXPECT_EQ(actual[i].id, expected[i].id) << text;
    }
  }
}

TEST(TokenMatcher, IsLinearOnTextsThatAlmostMatch) {
  const std::string pattern = std::string(50000, 'a') + "b";
  const std::string text(1000000, 'a');
  EXPECT_TRUE(TokenMatcher({{pattern, 1}}).find(text).empty());  // 5e10 steps if it were not
  const std::string reversed = "b" + std::string(50000, 'a');
  EXPECT_TRUE(TokenMatcher({{reversed, 1}}).find(text).empty());
}

}  // namespace
}  // namespace hearth
