#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/error.h"
#include "tokenizer/byte_alphabet.h"
#include "tokenizer/text_splitter.h"
#include "tokenizer/tokenizer.h"

namespace hearth {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Vocab vocab_of(std::vector<std::string> tokens, std::vector<std::string> merges,
               std::string pre = "gpt-2") {
  Vocab vocab;
  vocab.kind = TokenizerKind::bpe;
  vocab.pre = std::move(pre);
  vocab.tokens = std::move(tokens);
  vocab.merges = std::move(merges);
  return vocab;
}

std::vector<std::string> pieces(const Tokenizer& tokenizer, std::string_view text) {
  std::vector<std::string> out;
  for (const TokenId id : tokenizer.encode(text)) out.emplace_back(tokenizer.piece(id));
  return out;
}

std::vector<std::string> pieces(Vocab vocab, std::string_view text) {
  return pieces(*Tokenizer::create(std::move(vocab)), text);
}

// Every byte, and merges of random pairs of what there is.
Vocab random_vocab(unsigned seed, std::size_t n_merges) {
  std::mt19937 random(seed);
  Vocab vocab = vocab_of({}, {});
  for (int byte = 0; byte < 256; ++byte)
    vocab.tokens.emplace_back(byte_to_char(static_cast<unsigned char>(byte)));
  const std::string letters = "abc ";
  std::vector<std::string> known;
  for (const char c : letters) known.emplace_back(byte_to_char(static_cast<unsigned char>(c)));
  std::map<std::string, bool> seen;
  while (vocab.merges.size() < n_merges) {
    const std::string left = known[random() % known.size()];
    const std::string right = known[random() % known.size()];
    if (left.size() + right.size() > 8 || !seen.emplace(left + " " + right, true).second) continue;
    vocab.merges.push_back(left + " " + right);
    if (!seen.emplace(left + right, true).second) continue;
    known.push_back(left + right);
    vocab.tokens.push_back(left + right);
  }
  return vocab;
}

// The definition of BPE, word by word, without any cleverness: quadratic.
std::vector<std::string> merged_by_definition(const Vocab& vocab, std::string_view word) {
  std::map<std::pair<std::string, std::string>, std::size_t> ranks;
  for (std::size_t i = 0; i < vocab.merges.size(); ++i) {
    const std::size_t space = vocab.merges[i].find(' ', 1);
    ranks.emplace(std::pair{vocab.merges[i].substr(0, space), vocab.merges[i].substr(space + 1)},
                  i);
  }
  std::vector<std::string> symbols;
  for (const char c : word) symbols.emplace_back(byte_to_char(static_cast<unsigned char>(c)));
  for (;;) {
    std::size_t best = vocab.merges.size(), at = 0;
    for (std::size_t i = 0; i + 1 < symbols.size(); ++i) {
      const auto found = ranks.find({symbols[i], symbols[i + 1]});
      if (found != ranks.end() && found->second < best) best = found->second, at = i;
    }
    if (best == vocab.merges.size()) break;
    symbols[at] += symbols[at + 1];
    symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(at) + 1);
  }
  for (std::string& symbol : symbols) symbol = spelt_bytes(symbol);
  return symbols;
}

TEST(ByteAlphabet, IsThatOfGpt2) {
  EXPECT_EQ(byte_to_char('A'), "A");
  EXPECT_EQ(byte_to_char(' '), "\xC4\xA0");   // U+0120
  EXPECT_EQ(byte_to_char('\n'), "\xC4\x8A");  // U+010A
  EXPECT_EQ(byte_to_char(0), "\xC4\x80");     // U+0100, the first that is moved
  EXPECT_EQ(byte_to_char(0xAD), "\xC5\x83");  // U+0143, the last
  EXPECT_EQ(byte_to_char(0xE9), "\xC3\xA9");  // U+00E9
  EXPECT_EQ(char_to_byte(0x120), ' ');
  EXPECT_EQ(char_to_byte(' '), -1);
  EXPECT_EQ(char_to_byte(0x144), -1);
  std::string all, spelt;
  for (int byte = 0; byte < 256; ++byte) {
    all += static_cast<char>(byte);
    spelt += byte_to_char(static_cast<unsigned char>(byte));
  }
  EXPECT_EQ(spelt_bytes(spelt), all);
}

TEST(Bpe, TheEarliestMergeGoesFirst) {
  const std::vector<std::string> tokens = {"a", "b", "c", "ab", "bc", "abc"};
  EXPECT_THAT(pieces(vocab_of(tokens, {"b c", "a b", "a bc"}), "abcab"), ElementsAre("abc", "ab"));
  EXPECT_THAT(pieces(vocab_of(tokens, {"a b", "b c", "a bc"}), "abc"), ElementsAre("ab", "c"));
}

TEST(Bpe, AmongEqualsTheLeftmostGoesFirst) {
  EXPECT_THAT(pieces(vocab_of({"a", "aa"}, {"a a"}), "aaaaa"), ElementsAre("aa", "aa", "a"));
}

TEST(Bpe, MergesStayInsideWords) {
  const Vocab vocab = vocab_of({"a", "\xC4\xA0",
                                "\xC4\xA0"
                                "a",
                                "a\xC4\xA0"},
                               {"a \xC4\xA0", "\xC4\xA0 a"});
  EXPECT_THAT(pieces(vocab, "a a"), ElementsAre("a", " a"));
}

TEST(Bpe, IgnoreMergesTakesAWordThatIsAToken) {
  const std::vector<std::string> tokens = {"x", "y", "xy", "\xC4\xA0xyx", "\xC4\xA0"};
  EXPECT_THAT(pieces(vocab_of(tokens, {"x y"}, "llama-bpe"), "xyx xyx"),
              ElementsAre("xy", "x", " xyx"));
  EXPECT_THAT(pieces(vocab_of(tokens, {"x y"}, "gpt-2"), "xyx xyx"),
              ElementsAre("xy", "x", " ", "xy", "x"));
}

TEST(Bpe, AByteWithoutATokenIsUnknownOrNothing) {
  Vocab vocab = vocab_of({"a", "<unk>"}, {});
  vocab.types = {TokenType::normal, TokenType::unknown};
  EXPECT_THAT(Tokenizer::create(vocab)->encode("aza"), ElementsAre(0, 0));
  vocab.unk = 1;
  EXPECT_THAT(Tokenizer::create(vocab)->encode("aza"), ElementsAre(0, 1, 0));
}

TEST(Bpe, AMergeMayPassThroughATextThatIsNoToken) {
  const Vocab vocab = vocab_of({"a", "b", "c", "abc"}, {"a b", "ab c"});
  EXPECT_THAT(pieces(vocab, "abcab"), ElementsAre("abc", "a", "b"));
}

TEST(Bpe, OfEqualMergesTheFirstCounts) {
  const Vocab vocab = vocab_of({"a", "b", "c", "ab", "bc"}, {"a b", "b c", "a b"});
  EXPECT_THAT(pieces(vocab, "abc"), ElementsAre("ab", "c"));
}

TEST(Bpe, AMergeThatIsNoPairIsAnErrorWithItsNumber) {
  for (const char* merge : {"ab", "a ", "", " "}) {
    try {
      Tokenizer::create(vocab_of({"a", "b"}, {"a b", merge}));
      FAIL() << "expected an error for \"" << merge << '"';
    } catch (const Error& e) {
      EXPECT_THAT(e.what(), HasSubstr("merge 1"));
      EXPECT_THAT(e.parts().expected, HasSubstr("left right"));
    }
  }
}

TEST(Bpe, AnUnknownPreTokenizerIsAnError) {
  EXPECT_THROW(Tokenizer::create(vocab_of({"a"}, {}, "no-such-thing")), Error);
}

TEST(Bpe, ASentencepieceVocabularyMergesAcrossWordsAndSpellsBytes) {
  Vocab vocab = vocab_of({"\xE2\x96\x81", "a", "b", "a\xE2\x96\x81",
                          "a\xE2\x96\x81"
                          "b",
                          "\n", "\n\n\n", "<0xC3>", "<0xA9>", "<0xFF>"},
                         {"a \xE2\x96\x81", "a\xE2\x96\x81 b"}, "gemma4");
  vocab.types.assign(vocab.tokens.size(), TokenType::normal);
  for (std::size_t i = 7; i < 10; ++i) vocab.types[i] = TokenType::byte;
  const auto tokenizer = Tokenizer::create(vocab);
  EXPECT_THAT(tokenizer->encode("a b a"), ElementsAre(4, 0, 1));
  EXPECT_THAT(tokenizer->encode("a\n\n\na\n\n"), ElementsAre(1, 6, 1, 5, 5));
  EXPECT_THAT(tokenizer->encode("\xC3\xA9\xFF"), ElementsAre(7, 8, 9));
  EXPECT_EQ(tokenizer->decode(tokenizer->encode("a b\n \xC3\xA9\xFF")), "a b\n \xC3\xA9\xFF");
}

TEST(Bpe, MatchesTheDefinitionOnRandomVocabulariesAndWords) {
  std::mt19937 random(3);
  for (unsigned seed = 0; seed < 20; ++seed) {
    const Vocab vocab = random_vocab(seed, 10 + 12 * seed);
    const auto tokenizer = Tokenizer::create(vocab);
    for (int round = 0; round < 30; ++round) {
      std::string word;
      for (unsigned n = 1 + random() % 40; n > 0; --n) word += "abc"[random() % 3];
      EXPECT_EQ(pieces(*tokenizer, word), merged_by_definition(vocab, word)) << word;
    }
  }
}

// Sentencepiece-like vocabularies cut lines where no merge can join: that must change nothing.
TEST(Bpe, CuttingLongLinesChangesNothing) {
  std::mt19937 random(17);
  for (unsigned seed = 0; seed < 20; ++seed) {
    for (const char* pre : {"gemma4", "superbpe"}) {
      Vocab vocab = random_vocab(seed, 10 + 10 * seed);
      if (pre == std::string_view("gemma4")) {
        for (auto* texts : {&vocab.tokens, &vocab.merges}) {
          for (std::string& text : *texts) {
            for (std::size_t at; (at = text.find("\xC4\xA0")) != std::string::npos;)
              text.replace(at, 2, "\xE2\x96\x81");
          }
        }
      }
      vocab.pre = pre;
      const auto tokenizer = Tokenizer::create(vocab);
      for (int round = 0; round < 20; ++round) {
        std::string line;
        for (unsigned n = 20 + random() % 60; n > 0; --n) line += "abc "[random() % 4];
        EXPECT_EQ(pieces(*tokenizer, line),
                  merged_by_definition(random_vocab(seed, 10 + 10 * seed), line));
      }
    }
  }
}

TEST(Bpe, DecodingIsTheInverseForRandomBytes) {
  std::mt19937 random(5);
  for (const char* pre : {"gpt-2", "llama-bpe", "deepseek-llm", "tekken", "superbpe"}) {
    Vocab vocab = random_vocab(9, 100);
    vocab.pre = pre;
    const auto tokenizer = Tokenizer::create(vocab);
    for (int round = 0; round < 100; ++round) {
      std::string text;
      for (unsigned n = random() % 100; n > 0; --n)
        text += random() % 2 != 0 ? "abc "[random() % 4] : static_cast<char>(random());
      EXPECT_EQ(tokenizer->decode(tokenizer->encode(text)), text);
    }
  }
}

// Words come back from the cache, or not, as the text goes on: the ids must not depend on it.
TEST(Bpe, AWordHasTheSameIdsWhereverItStands) {
  std::mt19937 random(11);
  const auto tokenizer = Tokenizer::create(random_vocab(2, 200));
  std::string text;
  for (int i = 0; i < 20000; ++i) {
    text += ' ';
    for (unsigned n = 1 + random() % 19; n > 0; --n) text += "abc"[random() % 3];
  }
  std::vector<TokenId> one_by_one;
  TextSplitter(find_pre_tokenizer("gpt-2")).split(text, [&](std::string_view word) {
    const auto ids = tokenizer->encode(word);
    one_by_one.insert(one_by_one.end(), ids.begin(), ids.end());
  });
  EXPECT_EQ(tokenizer->encode(text), one_by_one);
}

TEST(Bpe, AMegabyteWithoutASpaceIsNotQuadratic) {
  const auto tokenizer = Tokenizer::create(random_vocab(4, 200));
  std::mt19937 random(13);
  std::string word;
  while (word.size() < (1u << 20)) word += "abc"[random() % 3];
  const std::clock_t start = std::clock();  // time of this process: neighbours do not count
  const auto ids = tokenizer->encode(word);
  const double took = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  EXPECT_LT(took, 5.0);
  EXPECT_EQ(tokenizer->decode(ids), word);
}

TEST(Bpe, ThreadsShareATokenizer) {
  const auto tokenizer = Tokenizer::create(random_vocab(6, 200));
  std::string text;
  for (int i = 0; i < 300; ++i) text += "abca bc cab\n abcabcabcabcabcabc \xC3\xA9 ";
  const auto expected = tokenizer->encode(text);
  std::vector<std::vector<TokenId>> got(4);
  std::vector<std::thread> threads;
  for (auto& ids : got) threads.emplace_back([&] { ids = tokenizer->encode(text); });
  for (std::thread& thread : threads) thread.join();
  for (const auto& ids : got) EXPECT_EQ(ids, expected);
}

}  // namespace
}  // namespace hearth
