#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/utf8.h"
#include "tests/tokenizer/charsmap_builder.h"
#include "tests/tokenizer/small_vocab.h"
#include "tokenizer/tokenizer.h"

namespace hearth {
namespace {

using testing::ElementsAre;

struct Small {
  Vocab vocab;
  TokenId unk = add_token(vocab, "<unk>", TokenType::unknown);
  TokenId eos = add_special_token(vocab, "</s>");
  TokenId mark = add_token(vocab, "▁", TokenType::normal, -3);
  TokenId a = add_token(vocab, "a", TokenType::normal, -4);
  TokenId b = add_token(vocab, "b", TokenType::normal, -4);
  Small() {
    vocab.kind = TokenizerKind::unigram;
    vocab.unk = unk;
    vocab.eos = eos;
  }
  TokenId add(std::string text, float score) {
    return add_token(vocab, std::move(text), TokenType::normal, score);
  }
  std::vector<TokenId> encode(std::string_view text) const {
    return Tokenizer::create(vocab)->encode(text, {.add_special = false});
  }
};

TEST(Unigram, TakesTheBestSumNotTheBestToken) {
  Small v;
  const TokenId ab = v.add("ab", -1);
  const TokenId ba = v.add("ba", -2.5f);
  EXPECT_THAT(v.encode("ab"), ElementsAre(ab));
  EXPECT_THAT(v.encode("aba"), ElementsAre(ab, v.a));  // -1 -4 against -4 -2.5
  EXPECT_THAT(v.encode("bab"), ElementsAre(v.b, ab));
  EXPECT_THAT(v.encode("baba"), ElementsAre(ba, ba));  // -5 against -4 -1 -4
}

TEST(Unigram, AmongEqualSumsTheLongerLastTokenWins) {
  Small v;
  const TokenId aa = v.add("aa", -4);
  EXPECT_THAT(v.encode("aaa"), ElementsAre(v.a, aa));
}

TEST(Unigram, UnknownCharactersSideBySideAreOneToken) {
  Small v;
  EXPECT_THAT(v.encode("a한국b한"), ElementsAre(v.a, v.unk, v.b, v.unk));
  EXPECT_THAT(v.encode("\xFF\xFE"
                       "a"),
              ElementsAre(v.unk, v.a));
  v.add("한한", -1);  // now the characters can be joined, and still are unknown
  EXPECT_THAT(v.encode("한국한"), ElementsAre(v.unk));
}

TEST(Unigram, WritesSpacesAsMarks) {
  Small v;
  const TokenId word = v.add("▁a", -1);
  EXPECT_THAT(v.encode("a  a"), ElementsAre(v.a, v.mark, word));
  v.vocab.add_space_prefix = true;
  EXPECT_THAT(v.encode("a  a "), ElementsAre(word, v.mark, word, v.mark));
  EXPECT_THAT(v.encode(" a"), ElementsAre(v.mark, word));
  v.vocab.remove_extra_whitespaces = true;
  EXPECT_THAT(v.encode("  a   a  "), ElementsAre(word, word));
  EXPECT_THAT(v.encode("   "), ElementsAre());
}

TEST(Unigram, NormalisesByTheCharsmap) {
  Small v;
  v.vocab.charsmap = CharsmapBuilder::build({{"A", "a"}, {"\n", " "}, {"ß", "bb"}, {"\u200B", ""}});
  EXPECT_THAT(v.encode("A\na\u200Bß"), ElementsAre(v.a, v.mark, v.a, v.b, v.b));
}

TEST(Unigram, UserDefinedTokensCutTheText) {
  Small v;
  const TokenId tag = add_token(v.vocab, "<ab>", TokenType::user_defined);
  EXPECT_THAT(v.encode("a<ab>b"), ElementsAre(v.a, tag, v.b));
}

TEST(Unigram, NeedsAnUnknownToken) {
  Small v;
  v.vocab.unk = kNoToken;
  EXPECT_THROW(Tokenizer::create(v.vocab), Error);
}

// Every way to write the text, none left out.
double best_sum(const Small& v, const std::string& text, std::size_t at) {
  if (at == text.size()) return 0;
  double best = -1e9;
  for (std::size_t i = 0; i < v.vocab.tokens.size(); ++i) {
    const std::string& token = v.vocab.tokens[i];
    if (v.vocab.types[i] != TokenType::normal || text.compare(at, token.size(), token) != 0)
      continue;
    best = std::max(best, v.vocab.scores[i] + best_sum(v, text, at + token.size()));
  }
  return best;
}

TEST(Unigram, FindsTheBestOfAllWaysToWriteRandomTexts) {
  std::mt19937 random(5);
  for (int round = 0; round < 200; ++round) {
    Small v;
    for (unsigned n = random() % 12; n > 0; --n) {
      std::string token = random() % 3 == 0 ? "▁" : "";
      for (unsigned k = 1 + random() % 3; k > 0; --k) token += random() % 2 ? 'a' : 'b';
      const auto& known = v.vocab.tokens;
      if (std::find(known.begin(), known.end(), token) == known.end())
        v.add(token, -static_cast<float>(random() % 1000) / 128);
    }
    std::string text;
    for (unsigned n = 1 + random() % 9; n > 0; --n)
      text += std::vector<std::string>{"a", "b", "▁"}[random() % 3];
    double sum = 0;
    std::string spelt;
    for (const TokenId id : v.encode(text)) {
      sum += v.vocab.scores[static_cast<std::size_t>(id)];
      spelt += v.vocab.tokens[static_cast<std::size_t>(id)];
    }
    EXPECT_EQ(spelt, text);
    EXPECT_EQ(sum, best_sum(v, text, 0)) << text;
  }
}

TEST(Unigram, LongTextIsNotQuadratic) {
  Small v;
  v.add(std::string(20000, 'a') + "b", -1);
  EXPECT_EQ(v.encode(std::string(1000000, 'a')).size(), 1000000u);  // 2e10 steps if it were
}

}  // namespace
}  // namespace hearth
