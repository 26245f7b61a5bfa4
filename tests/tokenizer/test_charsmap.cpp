#include <gtest/gtest.h>

#include <string>

#include "base/error.h"
#include "tests/tokenizer/charsmap_builder.h"
#include "tokenizer/charsmap.h"

namespace hearth {
namespace {

TEST(Charsmap, FindsTheLongestReplacement) {
  const Charsmap map(CharsmapBuilder::build(
      {{"a", "x"}, {"abc", "yz"}, {"\xEF\xAC\x81", "fi"}, {"\n", " "}, {"gone", ""}}));
  const auto check = [&map](std::string_view text, std::size_t length, std::string_view to) {
    const Charsmap::Match match = map.longest(text);
    EXPECT_EQ(match.length, length) << text;
    EXPECT_EQ(match.replacement, to) << text;
  };
  check("a", 1, "x");
  check("ab", 1, "x");
  check("abcd", 3, "yz");
  check("\xEF\xAC\x81n", 3, "fi");
  check("\xEF\xAC", 0, "");
  check("\n\n", 1, " ");
  check("gone", 4, "");
  check("bc", 0, "");
  check("", 0, "");
  check(std::string_view("\0a", 2), 0, "");
}

TEST(Charsmap, AnEmptyTableReplacesNothing) {
  EXPECT_EQ(Charsmap().longest("a").length, 0u);
  EXPECT_EQ(Charsmap("").longest("a").length, 0u);
}

TEST(Charsmap, RefusesSizesThatDoNotFit) {
  const std::string table = CharsmapBuilder::build({{"a", "x"}});
  EXPECT_THROW(Charsmap(table.substr(0, 3)), Error);
  EXPECT_THROW(Charsmap(table.substr(0, 100)), Error);
  EXPECT_THROW(Charsmap(std::string("\x05\0\0\0aaaaaaaa", 12)), Error);
  EXPECT_THROW(Charsmap(std::string("\xFF\xFF\xFF\xFF", 4)), Error);
}

TEST(Charsmap, DamagedTablesReplaceNothingOrSomethingButStayInside) {
  const std::string table = CharsmapBuilder::build({{"a", "x"}, {"abc", "yz"}});
  for (std::size_t i = 4; i < table.size(); ++i) {
    for (const char damage : {'\xFF', '\x01', '\x80'}) {
      std::string damaged = table;
      damaged[i] = static_cast<char>(damaged[i] ^ damage);
      const Charsmap::Match match = Charsmap(damaged).longest("abcabc");
      EXPECT_LE(match.length, 6u);
      EXPECT_LE(match.replacement.size(), table.size());
    }
  }
}

}  // namespace
}  // namespace hearth
