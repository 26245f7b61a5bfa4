#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>
#include <ostream>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/utf8.h"
#include "tokenizer/text_splitter.h"

namespace hearth {
namespace {

using ::testing::HasSubstr;

std::vector<std::string> words(std::string_view name, std::string_view text) {
  std::vector<std::string> out;
  TextSplitter(find_pre_tokenizer(name)).split(text, [&](std::string_view w) {
    out.emplace_back(w);
  });
  return out;
}

// The words with bars between them, so that a case is one line.
std::string cut(std::string_view name, std::string_view text) {
  std::string out;
  for (const std::string& word : words(name, text)) out += (out.empty() ? "" : "|") + word;
  return out;
}

TEST(FindPreTokenizer, EveryNameOfIssueIsKnown) {
  for (const char* name :
       {"default",      "gpt-2",          "llama-bpe",   "llama3",     "qwen2",     "qwen35",
        "deepseek-llm", "deepseek-coder", "deepseek-v3", "falcon",     "starcoder", "refact",
        "mpt",          "command-r",      "olmo",        "dbrx",       "stablelm2", "smollm",
        "codeshell",    "tekken",         "gpt-4o",      "llama4",     "kimi-k2",   "bloom",
        "viking",       "jais",           "exaone",      "minerva-7b", "superbpe",  "trillion",
        "seed-coder",   "hunyuan",        "gemma4"}) {
    EXPECT_NO_THROW(find_pre_tokenizer(name)) << name;
  }
  EXPECT_EQ(find_pre_tokenizer("").names[0], "default");
}

TEST(FindPreTokenizer, AnUnknownNameIsAnErrorThatNamesItAndListsTheKnown) {
  try {
    find_pre_tokenizer("llama-9");
    FAIL() << "expected an error";
  } catch (const Error& e) {
    EXPECT_THAT(e.parts().got, HasSubstr("llama-9"));
    EXPECT_THAT(e.parts().expected, HasSubstr("llama-bpe"));
    EXPECT_THAT(e.parts().where, HasSubstr("tokenizer.ggml.pre"));
  }
}

TEST(FindPreTokenizer, NoNameStandsInTwoRows) {
  std::vector<std::string> seen;
  for (const PreTokenizer& row : pre_tokenizers()) {
    for (const std::string_view name : row.names) {
      if (!name.empty()) seen.emplace_back(name);
    }
  }
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(std::adjacent_find(seen.begin(), seen.end()), seen.end());
}

struct SplitCase {
  const char* name;
  const char* text;
  const char* expected;  // words with bars between them
};

void PrintTo(const SplitCase& c, std::ostream* out) {
  *out << c.name << ": " << c.text;
}

class Splits : public ::testing::TestWithParam<SplitCase> {};

TEST_P(Splits, AsTheRegexSays) {
  const SplitCase& c = GetParam();
  EXPECT_EQ(cut(c.name, c.text), c.expected) << c.name << ": " << c.text;
}

// Each expectation was worked out by hand from the row's published regex.
INSTANTIATE_TEST_SUITE_P(
    Gpt2, Splits,
    ::testing::Values(
        SplitCase{"gpt-2", "Hello world", "Hello| world"},
        SplitCase{"gpt-2", "I'll y'all've IT'S", "I|'ll| y|'|all|'ve| IT|'|S"},
        SplitCase{"gpt-2", "a  b   c", "a| | b|  | c"},
        SplitCase{"gpt-2", "x\n\n y ", "x|\n\n| y| "}, SplitCase{"gpt-2", "a \t\tb", "a| \t|\t|b"},
        SplitCase{"gpt-2", "2026-11 x\xC2\xB2", "2026|-|11| x|\xC2\xB2"},
        SplitCase{"gpt-2",
                  "\xC2\xA0"
                  "a\xE1\xA0\x8E"
                  "b",
                  "\xC2\xA0|a|\xE1\xA0\x8E|b"},
        SplitCase{"gpt-2", "e\xCC\x81 \xF0\x9F\x98\x80!", "e|\xCC\x81| \xF0\x9F\x98\x80!"},
        SplitCase{"trillion", "go  on", "go| | on"},
        SplitCase{"starcoder", "ab 12 c3", "ab| |1|2| c|3"},
        SplitCase{"command-r", " 1 2", " |1| |2"},
        SplitCase{"falcon", "a+b 12345`", "a|+|b| |123|45|`"},
        SplitCase{"default", "a+b 12345`", "a|+|b| |123|45|`"},
        SplitCase{"default", "$5 x`+", "$|5| x|`|+"},
        SplitCase{"chameleon", "hi<sentinel:7>  a\tB", "hi|<|sentinel|:|7|>|  |a|\t|B"}));

INSTANTIATE_TEST_SUITE_P(
    Llama3, Splits,
    ::testing::Values(
        SplitCase{"llama-bpe", "Hello world", "Hello| world"},
        SplitCase{"llama-bpe", "I'LL y'all", "I|'LL| y|'all"},
        SplitCase{"llama-bpe", "12345678", "123|456|78"},
        SplitCase{"llama-bpe", "(a) -b\n\n c", "(a|)| -|b|\n\n| c"},
        SplitCase{"llama-bpe", "x  \n \n  y", "x|  \n \n| | y"},
        SplitCase{"llama-bpe", "end!\r\n\r\nnext", "end|!\r\n\r\n|next"},
        SplitCase{"llama-bpe", "'\xC5\xBFo", "'\xC5\xBFo"},  // the long s is no contraction
        SplitCase{"llama-bpe", "e\xCC\x81x", "e|\xCC\x81x"},
        SplitCase{"jais-2", "a          b", "a|        | | b"},  // 10 spaces: 8, 1, 1 with the b
        SplitCase{"minicpm5", "ab1234", "ab|123|4"}, SplitCase{"qwen2", "12 x", "1|2| x"},
        SplitCase{"laguna", "a\n\n b", "a|\n\n| b"},
        SplitCase{"qwen35", "e\xCC\x81x 12", "e\xCC\x81x| |1|2"},
        SplitCase{"ufakzeka", "Ali'den can't", "Ali|'den| can|'t"},
        SplitCase{"ufakzeka", "it's a'll", "it|'s| a|'ll"},
        SplitCase{"seed-coder", "a!\nb", "a|!|\n|b"}, SplitCase{"qwen2", "a!\nb", "a|!\n|b"},
        SplitCase{"bailingmoe", "a\n\nb", "a|\n\n|b"},
        SplitCase{"exaone-moe", "two words, 12", "two words|,| |1|2"}));

INSTANTIATE_TEST_SUITE_P(
    CasedWords, Splits,
    ::testing::Values(SplitCase{"tekken", "CamelCaseABC x", "Camel|Case|ABC| x"},
                      SplitCase{"tekken", "can't 12", "can|'t| |1|2"},
                      SplitCase{"tekken", "a//\n/b", "a|//\n/|b"},
                      SplitCase{"gpt-4o", "can't CAN'T 1234", "can't| CAN'T| |123|4"},
                      SplitCase{"gpt-4o", "HTTPServer \xC3\x89t\xC3\xA9",
                                "HTTPServer| \xC3\x89t\xC3\xA9"},
                      SplitCase{"granite-embed-multi-97m", "e\xCC\x81x", "e\xCC\x81x"},
                      SplitCase{"tiny_aya", "1234567 ab", "1|234|567| ab"},
                      SplitCase{"kimi-k2",
                                "ab\xE4\xB8\xAD\xE6\x96\x87"
                                "cd's 12",
                                "ab|\xE4\xB8\xAD\xE6\x96\x87|cd's| |12"}));

INSTANTIATE_TEST_SUITE_P(
    SeveralSteps, Splits,
    ::testing::Values(SplitCase{"deepseek-llm", "Hi there, 12\nx", "Hi| there|,| |12|\n|x"},
                      SplitCase{"deepseek-llm", "Caf\xC3\xA9 a  ", "Caf|\xC3\xA9| a|  "},
                      SplitCase{"deepseek-llm", "a  b", "a| | b"},
                      SplitCase{"deepseek-llm", "\xE4\xB8\xAD\xE3\x80\x80\xE6\x96\x87",
                                "\xE4\xB8\xAD|\xE3\x80\x80|\xE6\x96\x87"},
                      SplitCase{"deepseek-coder", "int x=12;\n\n", "int| x|=|1|2|;|\n|\n"},
                      SplitCase{"deepseek-v3", "a1234 \xE3\x81\x82x", "a|123|4| |\xE3\x81\x82|x"},
                      SplitCase{"deepseek-v3", "_abc .def~~", "_abc| .|def|~~"},
                      SplitCase{"afmoe", "year 12345", "year| |12|345"},
                      SplitCase{"youtu",
                                "\xED\x95\x9C"
                                "a\xE3\x80\x81"
                                "b",
                                "\xED\x95\x9C|a|\xE3\x80\x81|b"},
                      SplitCase{"bloom", "Hi, you (x)", "Hi|,| you| (|x|)"},
                      SplitCase{"viking", "a 12", "a| |1|2"},
                      SplitCase{"superbpe", "by the way 1234567 x", "by the way |1|234|567| x"},
                      SplitCase{"superbpe", "123456", "123|456"},
                      SplitCase{"spark2_5", "a\n\nb", "a|\n|\n|b"},
                      SplitCase{"gemma4", "a b\n\n\nc", "a b|\n\n\n|c"}));

// A second opinion on the two patterns that most models use: scanners written by hand from their
// meaning, over code points, compared with the regex on every short text of telling characters.
class Scanner {
 public:
  explicit Scanner(std::u32string text) : text_(std::move(text)) {}

  std::vector<std::size_t> gpt2_ends() {
    return ends([this](std::size_t i) {
      if (const std::size_t n = contraction(i, false)) return i + n;
      const std::size_t body = at(i) == U' ' ? i + 1 : i;
      for (const auto& is : {is_letter, is_number, is_other}) {
        if (is(at(body))) return run(body, is);
      }
      return spaces_end(i);
    });
  }

  std::vector<std::size_t> llama3_ends() {
    return ends([this](std::size_t i) {
      if (const std::size_t n = contraction(i, true)) return i + n;
      if (is_letter(at(i))) return run(i, is_letter);
      if (!is_newline(at(i)) && !is_number(at(i)) && is_letter(at(i + 1)))
        return run(i + 1, is_letter);
      if (is_number(at(i))) return std::min(run(i, is_number), i + 3);
      const std::size_t body = at(i) == U' ' ? i + 1 : i;
      if (is_other(at(body))) return run(run(body, is_other), is_newline);
      const std::size_t end = run(i, is_space);
      for (std::size_t last = end; last > i; --last) {
        if (is_newline(at(last - 1))) return last;
      }
      return spaces_end(i);
    });
  }

 private:
  static constexpr char32_t kEnd = 0;  // no test text holds U+0000

  static bool is_letter(char32_t c) { return std::u32string_view(U"asTlé中ſ").find(c) != npos; }
  static bool is_number(char32_t c) { return c == U'7' || c == U'½'; }
  static bool is_newline(char32_t c) { return c == U'\n' || c == U'\r'; }
  static bool is_space(char32_t c) {
    return is_newline(c) || c == U' ' || c == U'\t' || c == U'\u3000';
  }
  static bool is_other(char32_t c) {
    return c != kEnd && !is_letter(c) && !is_number(c) && !is_space(c);
  }

  char32_t at(std::size_t i) const { return i < text_.size() ? text_[i] : kEnd; }

  std::size_t run(std::size_t i, bool (*is)(char32_t)) const {
    while (is(at(i))) ++i;
    return i;
  }

  // The letters of the test texts allow 's, 't and 'll.
  std::size_t contraction(std::size_t i, bool any_case) const {
    if (at(i) != U'\'') return 0;
    const char32_t c = at(i + 1);
    if (c == U's' || (any_case && c == U'T')) return 2;
    return c == U'l' && at(i + 2) == U'l' ? 3 : 0;
  }

  // White space leaves its last character to the word behind it.
  std::size_t spaces_end(std::size_t i) const {
    const std::size_t end = run(i, is_space);
    return end < text_.size() && end > i + 1 ? end - 1 : end;
  }

  template <typename Next>
  std::vector<std::size_t> ends(const Next& next) const {
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < text_.size();) found.push_back(i = next(i));
    return found;
  }

  static constexpr std::size_t npos = std::u32string_view::npos;
  std::u32string text_;
};

void expect_ends(const TextSplitter& splitter, const std::u32string& text,
                 const std::vector<std::size_t>& expected) {
  std::string bytes;
  for (const char32_t c : text) utf8::append(bytes, c);
  std::vector<std::size_t> ends;
  std::size_t at = 0;
  splitter.split(bytes, [&](std::string_view word) {
    for (const char c : word) at += (c & 0xC0) != 0x80;  // characters, not bytes
    ends.push_back(at);
  });
  ASSERT_EQ(ends, expected) << bytes;
}

TEST(TextSplitter, EqualsScannersWrittenByHandOnEveryShortText) {
  const TextSplitter gpt2(find_pre_tokenizer("gpt-2"));
  const TextSplitter llama3(find_pre_tokenizer("llama-bpe"));
  const std::u32string alphabet = U"asTl'é中ſ7½ \n\t\u3000!😀\u0301";
  std::mt19937 random(23);
  const auto check = [&](const std::u32string& text) {
    expect_ends(gpt2, text, Scanner(text).gpt2_ends());
    expect_ends(llama3, text, Scanner(text).llama3_ends());
  };
  for (std::size_t length = 1; length <= 3; ++length) {
    std::size_t n = 1;
    for (std::size_t i = 0; i < length; ++i) n *= alphabet.size();
    for (std::size_t number = 0; number < n; ++number) {
      std::u32string text;
      for (std::size_t rest = number; text.size() < length; rest /= alphabet.size())
        text += alphabet[rest % alphabet.size()];
      check(text);
    }
  }
  for (int round = 0; round < 3000; ++round) {
    std::u32string text;
    for (unsigned i = 1 + random() % 30; i > 0; --i) text += alphabet[random() % alphabet.size()];
    check(text);
  }
}

TEST(TextSplitter, WordsOfRandomBytesAreTheTextForEveryRow) {
  std::mt19937 random(7);
  const std::string alphabet = "aZ '1\n\r\t.-\x1A\xC3\xA9\xE4\xB8\xAD\xF0\x9F\x98\x80\xFF\x80";
  for (const PreTokenizer& row : pre_tokenizers()) {
    const TextSplitter splitter(row);
    for (int round = 0; round < 50; ++round) {
      std::string text;
      for (unsigned i = random() % 60; i > 0; --i) {
        text +=
            random() % 4 != 0 ? alphabet[random() % alphabet.size()] : static_cast<char>(random());
      }
      std::string joined;
      splitter.split(text, [&](std::string_view word) {
        EXPECT_FALSE(word.empty());
        EXPECT_EQ(word.data(), text.data() + joined.size());
        joined += word;
      });
      EXPECT_EQ(joined, text) << row.names[0];
    }
  }
}

TEST(TextSplitter, AMegabyteOfOneKindIsNotQuadraticForAnyRow) {
  for (const char* unit : {"a", "A", " ", "\n", "7", "-", "\xE4\xB8\xAD", "a ", " \n", "\xFF"}) {
    std::string text;
    while (text.size() < (1u << 18)) text += unit;
    text += "x y";
    for (const PreTokenizer& row : pre_tokenizers()) {
      const std::clock_t start = std::clock();  // time of this process: neighbours do not count
      std::size_t n = 0;
      TextSplitter(row).split(text, [&](std::string_view word) { n += word.size(); });
      EXPECT_EQ(n, text.size());
      const double took = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
      EXPECT_LT(took, 2.0) << row.names[0] << " on " << unit;
    }
  }
}

}  // namespace
}  // namespace hearth
