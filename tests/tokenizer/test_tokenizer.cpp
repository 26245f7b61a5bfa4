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

// ids: 0 <unk>, 1 <s>, 2 </s>, 3.. the 256 bytes, then words.
constexpr TokenId kFirstByte = 3;
constexpr TokenId kSpace = 259, kA = 260, kB = 261, kSpaceA = 262, kAb = 263, kTurn = 264,
                  kTool = 265;

TokenId byte(int value) {
  return kFirstByte + value;
}

Vocab small_vocab() {
  Vocab vocab;
  vocab.kind = TokenizerKind::sentencepiece;
  add_token(vocab, "<unk>", TokenType::unknown);
  add_special_token(vocab, "<s>");
  add_special_token(vocab, "</s>");
  add_byte_tokens(vocab);
  add_token(vocab, "▁", TokenType::normal, -9);
  add_token(vocab, "a", TokenType::normal, -8);
  add_token(vocab, "b", TokenType::normal, -7);
  add_token(vocab, "▁a", TokenType::normal, -2);
  add_token(vocab, "ab", TokenType::normal, -1);
  add_special_token(vocab, "<|turn|>");
  add_token(vocab, "<tool>", TokenType::user_defined);
  vocab.unk = 0;
  vocab.bos = 1;
  vocab.eos = 2;
  vocab.add_bos = true;
  vocab.add_space_prefix = true;
  vocab.end_of_generation = {2, kTurn};
  return vocab;
}

std::vector<TokenId> plain(const Tokenizer& tokenizer, std::string_view text) {
  return tokenizer.encode(text, {.add_special = false});
}

TEST(Tokenizer, AddsBosAndEosAsTheVocabularySays) {
  Vocab vocab = small_vocab();
  EXPECT_THAT(Tokenizer::create(vocab)->encode("b"), ElementsAre(1, kSpace, kB));
  EXPECT_THAT(Tokenizer::create(vocab)->encode(""), ElementsAre(1));
  vocab.add_eos = true;
  EXPECT_THAT(Tokenizer::create(vocab)->encode("b"), ElementsAre(1, kSpace, kB, 2));
  EXPECT_THAT(Tokenizer::create(vocab)->encode("b", {.add_special = false}),
              ElementsAre(kSpace, kB));
  vocab.add_bos = false;
  EXPECT_THAT(Tokenizer::create(vocab)->encode("b"), ElementsAre(kSpace, kB, 2));
}

TEST(Tokenizer, NeverAddsASecondBosUnlessAsked) {
  const auto tokenizer = Tokenizer::create(small_vocab());
  EXPECT_THAT(tokenizer->encode("<s>b", {.parse_special = true}), ElementsAre(1, kSpace, kB));
  EXPECT_THAT(tokenizer->encode("<s>b", {.parse_special = true, .repeat_bos = true}),
              ElementsAre(1, 1, kSpace, kB));
  EXPECT_THAT(tokenizer->encode("<s><s>", {.parse_special = true}), ElementsAre(1, 1));
  // Text that only looks like BOS is text.
  EXPECT_EQ(tokenizer->encode("<s>")[0], 1);
  EXPECT_EQ(tokenizer->encode("<s>")[1], kSpace);
}

TEST(Tokenizer, UserDefinedTokensAreMatchedInAnyTextControlTokensOnlyWhenParsed) {
  Vocab vocab = small_vocab();
  vocab.add_space_prefix = false;
  const auto tokenizer = Tokenizer::create(vocab);
  EXPECT_THAT(plain(*tokenizer, "a<tool>b"), ElementsAre(kA, kTool, kB));
  EXPECT_THAT(plain(*tokenizer, "<s>"), ElementsAre(byte('<'), byte('s'), byte('>')));
  EXPECT_THAT(tokenizer->encode("a<|turn|><tool>", {.add_special = false, .parse_special = true}),
              ElementsAre(kA, kTurn, kTool));
  EXPECT_THAT(tokenizer->encode("<unk>", {.add_special = false, .parse_special = true}),
              ElementsAre(0));
}

TEST(Tokenizer, LiteralTextIsEncodedAsIfSpecialTextWereNotParsed) {
  Vocab vocab = small_vocab();
  add_special_token(vocab, "|><");  // begins where another ends
  add_special_token(vocab,
                    "\xEF\xBD\x9C"
                    "end");
  const auto tokenizer = Tokenizer::create(vocab);
  for (const std::string_view text :
       {"a<|turn|>b", "<|turn|><|turn|>", "<|turn|><s>", "</s", "<tool>a",
        "\xEF\xBD\x9C"
        "end",
        "<|turn<|turn|>|>", "ab"}) {
    const std::string literal = tokenizer->as_literal(text);
    EXPECT_EQ(tokenizer->encode(literal, {.parse_special = true, .drop_marks = true}),
              tokenizer->encode(text))
        << text;
  }
  EXPECT_EQ(tokenizer->as_literal("plain, <tool> too"), "plain, <tool> too");
}

TEST(Tokenizer, StrippingTokensSwallowTheWhiteSpaceBesideThem) {
  Vocab vocab = small_vocab();
  vocab.add_space_prefix = false;
  vocab.strip_right = {kTurn};
  EncodeOptions parse{.add_special = false, .parse_special = true};
  EXPECT_THAT(Tokenizer::create(vocab)->encode("a <|turn|> \n\tb<tool> a", parse),
              ElementsAre(kA, kSpace, kTurn, kB, kTool, kSpaceA));
  EXPECT_THAT(Tokenizer::create(vocab)->encode("<|turn|>  ", parse), ElementsAre(kTurn));
  vocab.strip_left = {kTool};
  EXPECT_THAT(Tokenizer::create(vocab)->encode("a \n<tool> a", parse),
              ElementsAre(kA, kTool, kSpaceA));
  EXPECT_THAT(Tokenizer::create(vocab)->encode("<|turn|>  <tool>", parse),
              ElementsAre(kTurn, kTool));
}

TEST(Tokenizer, DecodeTakesAwayTheSpaceThatEncodeAdds) {
  const auto tokenizer = Tokenizer::create(small_vocab());
  EXPECT_EQ(tokenizer->decode(std::vector<TokenId>{kSpaceA, kB}), "ab");
  EXPECT_EQ(tokenizer->decode(std::vector<TokenId>{1, kSpaceA, kB, 2}), "ab");
  EXPECT_EQ(tokenizer->decode(std::vector<TokenId>{kSpace, kSpaceA}), " a");
  EXPECT_EQ(tokenizer->decode(std::vector<TokenId>{kSpaceA, kB}, {.continues_text = true}), " ab");
  EXPECT_EQ(tokenizer->decode(std::vector<TokenId>{1, kSpaceA, 2}, {.render_special = true}),
            "<s> a</s>");
}

TEST(Tokenizer, DecodeShowsUserDefinedTokensAlwaysAndControlTokensWhenAsked) {
  const auto tokenizer = Tokenizer::create(small_vocab());
  const std::vector<TokenId> ids = {kTurn, kB, kTool, 0, byte(0xEA)};
  EXPECT_EQ(tokenizer->decode(ids), "b<tool>\xEA");
  EXPECT_EQ(tokenizer->decode(ids, {.render_special = true}), "<|turn|>b<tool><unk>\xEA");
}

TEST(Tokenizer, RefusesIdsThatDoNotExist) {
  const auto tokenizer = Tokenizer::create(small_vocab());
  EXPECT_THROW(tokenizer->piece(-1), Error);
  EXPECT_THROW(tokenizer->piece(266), Error);
  EXPECT_THROW(tokenizer->decode(std::vector<TokenId>{kA, 1 << 30}), Error);
}

TEST(Tokenizer, KnowsTheEndOfGeneration) {
  const auto tokenizer = Tokenizer::create(small_vocab());
  EXPECT_TRUE(tokenizer->is_end_of_generation(2));
  EXPECT_TRUE(tokenizer->is_end_of_generation(kTurn));
  EXPECT_FALSE(tokenizer->is_end_of_generation(1));
  EXPECT_FALSE(tokenizer->is_end_of_generation(kNoToken));
}

TEST(Tokenizer, RefusesVocabulariesThatCannotWork) {
  const auto refused = [](void (*spoil)(Vocab&)) {
    Vocab vocab = small_vocab();
    spoil(vocab);
    try {
      Tokenizer::create(std::move(vocab));
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  using testing::HasSubstr;
  EXPECT_THAT(refused([](Vocab& v) { v = Vocab(); }), HasSubstr("no tokens"));
  EXPECT_THAT(refused([](Vocab& v) { v.scores.pop_back(); }), HasSubstr("scores"));
  EXPECT_THAT(refused([](Vocab& v) { v.types.pop_back(); }), HasSubstr("types"));
  EXPECT_THAT(refused([](Vocab& v) { v.eos = 5000; }), HasSubstr("EOS"));
  EXPECT_THAT(refused([](Vocab& v) { v.pad = -7; }), HasSubstr("padding"));
  EXPECT_THAT(refused([](Vocab& v) { v.bos = kNoToken; }), HasSubstr("BOS"));
}

TEST(StreamDecoder, HoldsBytesBackUntilTheyAreCharacters) {
  const auto tokenizer = Tokenizer::create(small_vocab());
  StreamDecoder stream(*tokenizer);
  EXPECT_EQ(stream.push(byte(0xED)), "");  // U+D55C, HAN
  EXPECT_EQ(stream.push(byte(0x95)), "");
  EXPECT_EQ(stream.push(byte(0x9C)), "\xED\x95\x9C");
  EXPECT_EQ(stream.push(byte(0xF0)), "");
  EXPECT_EQ(stream.push(kA),
            "\xF0"
            "a");  // it can no longer become a character
  EXPECT_EQ(stream.push(byte(0xE2)), "");
  EXPECT_EQ(stream.finish(), "\xE2");
  EXPECT_EQ(stream.finish(), "");
}

TEST(StreamDecoder, DropsTheLeadingSpaceOnlyAtTheStartOfTheText) {
  const auto tokenizer = Tokenizer::create(small_vocab());
  StreamDecoder fresh(*tokenizer);
  EXPECT_EQ(fresh.push(1), "");
  EXPECT_EQ(fresh.push(kSpaceA), "a");
  EXPECT_EQ(fresh.push(kSpaceA), " a");
  StreamDecoder later(*tokenizer, {.continues_text = true});
  EXPECT_EQ(later.push(kSpaceA), " a");
}

// Every way to cut a text of 1-, 2-, 3- and 4-byte characters into tokens.
TEST(StreamDecoder, GivesWholeCharactersHoweverTheTokensCutThem) {
  const std::string text = "a\xC3\xA9\xED\x95\x9C\xF0\x9F\x98\x80";
  Vocab vocab = small_vocab();
  vocab.add_space_prefix = false;
  const auto first = static_cast<TokenId>(vocab.tokens.size());
  for (std::size_t begin = 0; begin < text.size(); ++begin) {
    for (std::size_t end = begin; end < text.size(); ++end)
      add_token(vocab, text.substr(begin, end - begin + 1));
  }
  const auto tokenizer = Tokenizer::create(vocab);
  const auto token = [&](std::size_t begin, std::size_t end) {
    TokenId id = first;
    for (std::size_t b = 0; b < begin; ++b) id += static_cast<TokenId>(text.size() - b);
    return id + static_cast<TokenId>(end - begin - 1);
  };
  for (unsigned cuts = 0; cuts < 1u << (text.size() - 1); ++cuts) {
    StreamDecoder stream(*tokenizer);
    std::string streamed;
    std::size_t begin = 0;
    for (std::size_t end = 1; end <= text.size(); ++end) {
      if (end < text.size() && !(cuts >> (end - 1) & 1)) continue;
      const std::string shown = stream.push(token(begin, end));
      EXPECT_TRUE(utf8::is_valid(shown)) << cuts;
      streamed += shown;
      begin = end;
    }
    EXPECT_EQ(streamed, text) << cuts;
    EXPECT_EQ(stream.finish(), "") << cuts;
  }
}

TEST(StreamDecoder, GivesTheSameBytesAsDecodeForAnyIds) {
  std::mt19937 random(3);
  Vocab vocab = small_vocab();
  add_token(vocab, "\xED\x95");
  add_token(vocab, "\x9C\xF0\x9F");
  const auto tokenizer = Tokenizer::create(vocab);
  for (int round = 0; round < 500; ++round) {
    std::vector<TokenId> ids(random() % 20);
    for (TokenId& id : ids)
      id = static_cast<TokenId>(random() % static_cast<unsigned>(tokenizer->n_tokens()));
    const DecodeOptions options{.render_special = round % 2 == 0, .continues_text = round % 3 == 0};
    StreamDecoder stream(*tokenizer, options);
    std::string streamed;
    for (const TokenId id : ids) streamed += stream.push(id);
    EXPECT_EQ(streamed + stream.finish(), tokenizer->decode(ids, options));
  }
}

}  // namespace
}  // namespace hearth
