#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "base/error.h"
#include "tests/tokenizer/small_vocab.h"
#include "tokenizer/tokenizer.h"

namespace hearth {
namespace {

using testing::ElementsAre;

struct Small {
  Vocab vocab;
  TokenId unk = add_special_token(vocab, "[UNK]");
  TokenId cls = add_special_token(vocab, "[CLS]");
  TokenId sep = add_special_token(vocab, "[SEP]");
  TokenId a = add_token(vocab, "▁a");
  TokenId ab = add_token(vocab, "▁ab");
  TokenId then_c = add_token(vocab, "c");
  TokenId then_cd = add_token(vocab, "cd");
  TokenId comma = add_token(vocab, "▁,");
  TokenId e = add_token(vocab, "▁e");
  Small() {
    vocab.kind = TokenizerKind::wordpiece;
    vocab.unk = unk;
    vocab.bos = cls;
    vocab.sep = sep;
    vocab.add_bos = vocab.add_sep = true;
  }
  std::vector<TokenId> encode(std::string_view text) const {
    return Tokenizer::create(vocab)->encode(text, {.add_special = false});
  }
};

TEST(WordPiece, TakesTheLongestTokenFromTheLeft) {
  const Small v;
  EXPECT_THAT(v.encode("a ab abc abcd"), ElementsAre(v.a, v.ab, v.ab, v.then_c, v.ab, v.then_cd));
}

TEST(WordPiece, AWordThatCannotBeCutCompletelyIsUnknown) {
  const Small v;
  EXPECT_THAT(v.encode("abx a xab"), ElementsAre(v.unk, v.a, v.unk));
  EXPECT_THAT(v.encode("c"), ElementsAre(v.unk));  // it continues words, none begins with it
  EXPECT_THAT(v.encode("abcdcc"), ElementsAre(v.ab, v.then_cd, v.then_c, v.then_c));
  // Greedy means greedy: "cd" is taken although "c" + "d…" might have led further.
  EXPECT_THAT(v.encode("acdd"), ElementsAre(v.unk));
}

TEST(WordPiece, PutsTheTextBetweenClsAndSep) {
  const auto tokenizer = Tokenizer::create(Small().vocab);
  const Small v;
  EXPECT_THAT(tokenizer->encode("a,a"), ElementsAre(v.cls, v.a, v.comma, v.a, v.sep));
  EXPECT_THAT(tokenizer->encode(""), ElementsAre(v.cls, v.sep));
  EXPECT_THAT(tokenizer->encode("[SEP]a", {.add_special = false, .parse_special = true}),
              ElementsAre(v.sep, v.a));
}

TEST(WordPiece, LowersCapitalsAndStripsAccentsAsTheVocabularyWants) {
  Small v;
  EXPECT_THAT(v.encode("A É e\u0301 ÄBC"), ElementsAre(v.a, v.e, v.e, v.ab, v.then_c));
  v.vocab.strip_accents = false;
  EXPECT_THAT(v.encode("A É"), ElementsAre(v.a, v.unk));
  v.vocab.lowercase = false;
  EXPECT_THAT(v.encode("a A"), ElementsAre(v.a, v.unk));
}

TEST(WordPiece, IgnoresWhatIsNotUtf8) {
  const Small v;
  EXPECT_THAT(v.encode("a\xFF"
                       "b \xE2\x96"),
              ElementsAre(v.ab));
}

TEST(WordPiece, NeedsAnUnknownToken) {
  Small v;
  v.vocab.unk = kNoToken;
  EXPECT_THROW(Tokenizer::create(v.vocab), Error);
}

TEST(WordPiece, DecodeWritesSpacesInFrontOfWords) {
  const Small v;
  const auto tokenizer = Tokenizer::create(v.vocab);
  EXPECT_EQ(tokenizer->decode(v.encode("a abc, a")), "a abc , a");
  Vocab tidy = v.vocab;
  tidy.clean_up_spaces = true;
  EXPECT_EQ(Tokenizer::create(tidy)->decode(v.encode("a abc, a"), {.clean_up_spaces = true}),
            "a abc, a");
}

// The rule itself: at each place of the word try all lengths, longest first.
std::vector<TokenId> by_definition(const Small& v, const std::string& word) {
  const std::string marked = "▁" + word;
  std::vector<TokenId> ids;
  for (std::size_t i = 0; i < marked.size();) {
    TokenId best = kNoToken;
    std::size_t longest = 0;
    for (std::size_t t = 0; t < v.vocab.tokens.size(); ++t) {
      const std::string& token = v.vocab.tokens[t];
      if (token.size() > longest && std::string_view(marked).substr(i).starts_with(token)) {
        best = static_cast<TokenId>(t);
        longest = token.size();
      }
    }
    if (best == kNoToken) return {v.unk};
    ids.push_back(best);
    i += longest;
  }
  return ids;
}

TEST(WordPiece, AgreesWithTheDefinitionOnRandomWords) {
  std::mt19937 random(11);
  const auto word = [&random](std::size_t longest) {
    std::string out;
    for (std::size_t n = 1 + random() % longest; n > 0; --n)
      out += static_cast<char>('a' + random() % 3);
    return out;
  };
  for (int round = 0; round < 200; ++round) {
    Small v;
    for (std::size_t n = random() % 15; n > 0; --n)
      add_token(v.vocab, (random() % 2 ? "▁" : "") + word(4));
    const auto tokenizer = Tokenizer::create(v.vocab);
    for (int sample = 0; sample < 5; ++sample) {
      const std::string text = word(20);
      EXPECT_EQ(tokenizer->encode(text, {.add_special = false}), by_definition(v, text)) << text;
    }
  }
}

TEST(WordPiece, LongWordsAreLinear) {
  Small v;
  add_token(v.vocab, std::string(20000, 'c') + "d");
  std::string word = "a" + std::string(1000000, 'c');
  const std::vector<TokenId> ids = v.encode(word);  // 2e10 steps if it were not
  EXPECT_EQ(ids.size(), 1000001u);
}

}  // namespace
}  // namespace hearth
