#include <gtest/gtest.h>

#include <string>

#include "base/utf8.h"

namespace hearth::utf8 {
namespace {

TEST(Utf8, RoundTripsTheEdgesOfEveryLength) {
  for (const char32_t c :
       {0x0u, 0x7Fu, 0x80u, 0x7FFu, 0x800u, 0xD7FFu, 0xE000u, 0xFFFFu, 0x10000u, 0x10FFFFu}) {
    std::string text;
    append(text, c);
    const Decoded d = decode_one(text);
    EXPECT_TRUE(d.valid);
    EXPECT_EQ(d.code_point, c);
    EXPECT_EQ(d.length, text.size());
    EXPECT_TRUE(is_valid(text));
  }
}

TEST(Utf8, RefusesWhatTheStandardRefuses) {
  for (const std::string bad :
       {"\x80", "\xC0\xAF", "\xC1\xBF", "\xE0\x80\x80", "\xED\xA0\x80", "\xF0\x80\x80\x80",
        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "\xE2\x82"}) {
    EXPECT_EQ(first_malformed("ok" + bad), 2u);
    EXPECT_EQ(decode_one(bad).length, 1u);
  }
}

TEST(Utf8, HoldsOnlyWhatCanStillBecomeACharacter) {
  EXPECT_EQ(incomplete_tail(""), 0u);
  EXPECT_EQ(incomplete_tail("abc"), 0u);
  EXPECT_EQ(incomplete_tail("\xED\x95"), 2u);       // two of the three bytes of U+D55C
  EXPECT_EQ(incomplete_tail("\xED\x95\x9C"), 0u);   // all three
  EXPECT_EQ(incomplete_tail("a\xF0\x9F\x98"), 3u);  // three of the four bytes of an emoji
  EXPECT_EQ(incomplete_tail("\xF0"), 1u);
  EXPECT_EQ(incomplete_tail("\x80"), 0u);      // a stray continuation never becomes one
  EXPECT_EQ(incomplete_tail("\xED\xA0"), 0u);  // nor does a surrogate
}

TEST(Utf8, SanitizesByteByByte) {
  EXPECT_EQ(sanitize("a\xFF\xFE"
                     "b"),
            "a\xEF\xBF\xBD\xEF\xBF\xBD"
            "b");
}

}  // namespace
}  // namespace hearth::utf8
