#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tokenizer/bert_normalizer.h"

namespace hearth {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(BertWords, SplitsAtWhiteSpaceOfAnyScript) {
  EXPECT_THAT(bert_words(" a\tb\r\nc\u00A0d\u2003e\u3000f\u0085g ", {}),
              ElementsAre("a", "b", "c", "d", "e", "f", "g"));
  EXPECT_THAT(bert_words("", {}), IsEmpty());
  EXPECT_THAT(bert_words(" \u3000\n", {}), IsEmpty());
}

TEST(BertWords, PunctuationAndAsciiSymbolsAreWords) {
  EXPECT_THAT(
      bert_words("a,b!? $5+~`^ “q”—¡", {}),
      ElementsAre("a", ",", "b", "!", "?", "$", "5", "+", "~", "`", "^", "“", "q", "”", "—", "¡"));
  EXPECT_THAT(bert_words("5€ ×2", {}), ElementsAre("5€", "×2"));  // symbols, but not of ASCII
}

TEST(BertWords, ChineseCharactersAreWordsKanaAndHangulAreNot) {
  EXPECT_THAT(bert_words("ab中文カナ한국𠀀", {.strip_accents = false}),
              ElementsAre("ab", "中", "文", "カナ한국", "𠀀"));
}

TEST(BertWords, DropsControlAndFormatCharacters) {
  EXPECT_THAT(bert_words(std::string_view("a\0b\x01\x7F\u200D\uFEFFc\uFFFD\uE000", 18), {}),
              ElementsAre("abc"));
  EXPECT_THAT(bert_words("\xFF\xC3(\xE2\x82", {}), ElementsAre("("));
}

TEST(BertWords, StripsAccentsAndLowers) {
  EXPECT_THAT(bert_words("Ünïcödé ÅÉ İ Ё ǅ", {}), ElementsAre("unicode", "ae", "i", "е", "ǆ"));
  EXPECT_THAT(bert_words("É", {.lowercase = false}), ElementsAre("E"));
  EXPECT_THAT(bert_words("É", {.strip_accents = false}), ElementsAre("é"));
  EXPECT_THAT(bert_words("É", {.lowercase = false, .strip_accents = false}), ElementsAre("É"));
}

TEST(BertWords, HangulComesApartIntoJamoOrItsInitialAlone) {
  EXPECT_THAT(bert_words("안", {}), ElementsAre("\u110B\u1161\u11AB"));
  EXPECT_THAT(bert_words("안", {.first_of_decomposition = true}), ElementsAre("\u110B"));
}

}  // namespace
}  // namespace hearth
