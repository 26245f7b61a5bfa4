#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/utf8.h"
#include "tests/tokenizer/small_vocab.h"
#include "tokenizer/tokenizer.h"

namespace hearth {
namespace {

using testing::ElementsAre;

// A vocabulary in which tokens have the ids that their names say.
struct Small {
  Vocab vocab;
  TokenId unk = add_token(vocab, "<unk>", TokenType::unknown);
  TokenId bos = add_special_token(vocab, "<s>");
  TokenId byte = add_byte_tokens(vocab);
  TokenId mark = add_token(vocab, "▁", TokenType::normal, -10);
  TokenId a = add_token(vocab, "a", TokenType::normal, -11);
  TokenId b = add_token(vocab, "b", TokenType::normal, -12);
  TokenId c = add_token(vocab, "c", TokenType::normal, -13);
  Small() {
    vocab.kind = TokenizerKind::sentencepiece;
    vocab.unk = unk;
    vocab.bos = bos;
    vocab.add_bos = true;
  }
  TokenId add(std::string text, float score) {
    return add_token(vocab, std::move(text), TokenType::normal, score);
  }
  std::vector<TokenId> encode(std::string_view text, bool parse = false) const {
    return Tokenizer::create(vocab)->encode(text, {.add_special = false, .parse_special = parse});
  }
};

TEST(SentencePiece, JoinsTheBestScoreFirst) {
  Small v;
  const TokenId ab = v.add("ab", -2);
  const TokenId bc = v.add("bc", -1);
  EXPECT_THAT(v.encode("abc"), ElementsAre(v.a, bc));
  EXPECT_THAT(v.encode("abab"), ElementsAre(ab, ab));
}

TEST(SentencePiece, AmongEqualScoresJoinsTheLeftmost) {
  Small v;
  const TokenId aa = v.add("aa", -1);
  EXPECT_THAT(v.encode("aaaaa"), ElementsAre(aa, aa, v.a));
  const TokenId ab = v.add("ab", -3);
  v.add("ba", -3);
  EXPECT_THAT(v.encode("aba"), ElementsAre(ab, v.a));
}

TEST(SentencePiece, JoinsOnlyThroughTokens) {
  Small v;
  v.add("abc", -1);  // neither "ab" nor "bc" is a token, so there is no way to it
  EXPECT_THAT(v.encode("abc"), ElementsAre(v.a, v.b, v.c));
}

TEST(SentencePiece, JoinsThroughCharactersThatAreNoTokens) {
  Small v;
  const TokenId xy = v.add("xy", -1);
  EXPECT_THAT(v.encode("xyx"), ElementsAre(xy, v.byte + 'x'));
}

TEST(SentencePiece, SpellsUnknownCharactersInBytes) {
  Small v;
  EXPECT_THAT(v.encode("a한"), ElementsAre(v.a, v.byte + 0xED, v.byte + 0x95, v.byte + 0x9C));
  EXPECT_THAT(v.encode("\xFF"
                       "a\xE2\x96"),
              ElementsAre(v.byte + 0xFF, v.a, v.byte + 0xE2, v.byte + 0x96));
}

TEST(SentencePiece, WithoutByteTokensACharacterIsUnknown) {
  Vocab vocab;
  vocab.kind = TokenizerKind::sentencepiece;
  vocab.unk = add_token(vocab, "<unk>", TokenType::unknown);
  const TokenId a = add_token(vocab, "a");
  const TokenId raw = add_token(vocab, "\n");
  const auto tokenizer = Tokenizer::create(vocab);
  EXPECT_THAT(tokenizer->encode("a한\n"), ElementsAre(a, vocab.unk, raw));
  vocab.unk = kNoToken;
  EXPECT_THROW(Tokenizer::create(vocab), Error);
}

TEST(SentencePiece, PutsASpaceInFrontOfTheTextAndBehindSpecialTokens) {
  Small v;
  const TokenId word = v.add("▁a", -1);
  EXPECT_THAT(v.encode("a"), ElementsAre(v.a));
  v.vocab.add_space_prefix = true;
  EXPECT_THAT(v.encode("a"), ElementsAre(word));
  EXPECT_THAT(v.encode(" a"), ElementsAre(v.mark, word));
  EXPECT_THAT(v.encode("a<s>a a", true), ElementsAre(word, v.bos, word, word));
  EXPECT_THAT(v.encode("<s> a", true), ElementsAre(v.bos, v.mark, word));
  EXPECT_THAT(v.encode(""), ElementsAre());
  EXPECT_THAT(v.encode("<s>", true), ElementsAre(v.bos));
}

TEST(SentencePiece, AMarkInTheTextIsASpace) {
  Small v;
  const TokenId word = v.add("▁a", -1);
  EXPECT_THAT(v.encode("▁a a"), ElementsAre(word, word));
}

TEST(SentencePiece, TokensMayHaveSpacesInside) {
  Small v;
  const TokenId am = v.add("a▁", -2);
  const TokenId amb = v.add("a▁b", -1);
  EXPECT_THAT(v.encode("a b"), ElementsAre(amb));
  EXPECT_THAT(v.encode("a c a  b"), ElementsAre(am, v.c, v.mark, am, v.mark, v.b));
}

// The rule itself, word for word: look at all neighbours, join the best, begin again.
std::vector<TokenId> by_definition(const Small& v, const std::string& text) {
  std::vector<std::string> pieces;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t n = utf8::decode_one(std::string_view(text).substr(i)).length;
    pieces.push_back(text[i] == ' ' ? "▁" : text.substr(i, n));
    i += n;
  }
  const auto find = [&v](const std::string& piece) -> TokenId {
    for (std::size_t i = 0; i < v.vocab.tokens.size(); ++i) {
      if (v.vocab.tokens[i] == piece) return static_cast<TokenId>(i);
    }
    return kNoToken;
  };
  while (true) {
    std::size_t best = 0;
    float best_score = 0;
    for (std::size_t i = 1; i < pieces.size(); ++i) {
      const TokenId id = find(pieces[i - 1] + pieces[i]);
      if (id == kNoToken) continue;
      const float score = v.vocab.scores[static_cast<std::size_t>(id)];
      if (best == 0 || score > best_score) {
        best = i;
        best_score = score;
      }
    }
    if (best == 0) break;
    pieces[best - 1] += pieces[best];
    pieces.erase(pieces.begin() + static_cast<std::ptrdiff_t>(best));
  }
  std::vector<TokenId> ids;
  for (const std::string& piece : pieces) {
    if (const TokenId id = find(piece); id != kNoToken) {
      ids.push_back(id);
    } else {
      for (const char c : piece) ids.push_back(v.byte + static_cast<unsigned char>(c));
    }
  }
  return ids;
}

// Vocabularies with and without spaces inside tokens, many equal scores, repeated words: cutting
// the text and remembering words must never show.
TEST(SentencePiece, AgreesWithTheDefinitionOnRandomTextsAndVocabularies) {
  std::mt19937 random(7);
  const auto below = [&random](unsigned n) { return random() % n; };
  const std::vector<std::string> letters = {"a", "b", "c", "▁", "한", "\xFF"};
  for (int round = 0; round < 300; ++round) {
    Small v;
    const bool spaces_inside = round % 3 == 0;
    for (unsigned n = below(25); n > 0; --n) {
      std::string token = below(2) ? "▁" : "";
      for (unsigned k = 1 + below(4); k > 0; --k) token += letters[below(spaces_inside ? 6 : 3)];
      v.add(token, -static_cast<float>(below(6)));
    }
    const auto tokenizer = Tokenizer::create(v.vocab);
    for (int sample = 0; sample < 4; ++sample) {
      std::string text;
      for (unsigned n = 1 + below(60); n > 0; --n) {
        const unsigned pick = below(10);
        text += pick < 6 ? letters[pick % 3] : pick < 9 ? " " : letters[3 + below(3)];
      }
      EXPECT_EQ(tokenizer->encode(text, {.add_special = false}), by_definition(v, text)) << text;
    }
  }
}

TEST(SentencePiece, LongTextWithoutSpacesIsNotQuadratic) {
  Small v;
  std::string token = "a";
  for (int i = 0; i < 8; ++i) {
    token += token;
    v.add(token, static_cast<float>(i));
  }
  const TokenId longest = static_cast<TokenId>(v.vocab.tokens.size()) - 1;
  const std::vector<TokenId> ids = v.encode(std::string(256 * 1000, 'a'));
  EXPECT_EQ(ids, std::vector<TokenId>(1000, longest));
  EXPECT_EQ(v.encode(std::string(500000, ' ')), std::vector<TokenId>(500000, v.mark));
}

}  // namespace
}  // namespace hearth
