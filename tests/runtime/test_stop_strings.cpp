#include <gtest/gtest.h>

#include "base/error.h"
#include "base/random.h"
#include "base/utf8.h"
#include "engine/runtime/stop_strings.h"

namespace hearth {
namespace {

TEST(StopStrings, NoneHoldNothing) {
  StopStrings stops({});
  EXPECT_EQ(stops.push("any text"), "any text");
  EXPECT_EQ(stops.finish(), "");
  EXPECT_FALSE(stops.found());
}

TEST(StopStrings, HoldOnlyWhatCouldBeginOne) {
  StopStrings stops({"<end>"});
  EXPECT_EQ(stops.push("a < b"), "a < b");
  EXPECT_EQ(stops.push(" <"), " ");
  EXPECT_EQ(stops.push("en"), "");
  EXPECT_EQ(stops.push("<en"), "<en");  // the second "<en" may still become it
  EXPECT_EQ(stops.push("d> more"), "");
  EXPECT_TRUE(stops.found());
  EXPECT_EQ(stops.push("more"), "");
}

TEST(StopStrings, GiveBackWhatWasHeldInVain) {
  StopStrings stops({"\n\nUser:"});
  EXPECT_EQ(stops.push("Yes.\n\nUse"), "Yes.");
  EXPECT_EQ(stops.finish(), "\n\nUse");
  EXPECT_FALSE(stops.found());
}

TEST(StopStrings, TheOneThatEndsFirstWinsAndTheLongestOfThose) {
  StopStrings first({"bcdef", "cd"});
  EXPECT_EQ(first.push("abcdef"), "ab");
  StopStrings longest({"c", "abc", "bc"});
  EXPECT_EQ(longest.push("xabc"), "x");
}

TEST(StopStrings, FallBackToAShorterBeginning) {
  StopStrings stops({"aab"});
  EXPECT_EQ(stops.push("aaaa"), "aa");
  EXPECT_EQ(stops.push("b"), "");
  EXPECT_TRUE(stops.found());
}

TEST(StopStrings, EmptyAndEndlessOnesAreErrors) {
  EXPECT_THROW(StopStrings({"x", ""}), Error);
  EXPECT_THROW(StopStrings({std::string(100000, 'x')}), Error);
}

// What must come out, said plainly: the text before the first end of any stop string, and before
// that, all but the longest end of the text that begins one.
std::string shown_after(const std::string& text, const std::vector<std::string>& stops,
                        bool& found) {
  for (std::size_t end = 1; end <= text.size(); ++end) {
    std::size_t longest = 0;
    for (const std::string& stop : stops) {
      if (text.substr(0, end).ends_with(stop)) longest = std::max(longest, stop.size());
    }
    found = longest > 0;
    if (found) return text.substr(0, end - longest);
  }
  for (std::size_t held = text.size(); held > 0; --held) {
    for (const std::string& stop : stops) {
      if (stop.starts_with(text.substr(text.size() - held))) {
        return text.substr(0, text.size() - held);
      }
    }
  }
  return text;
}

TEST(StopStrings, AgreeWithThePlainStatementOnRandomStreams) {
  Random random(5);
  const std::vector<std::string> letters = {"a", "b", "\xC3\xA9", "\xC3\xA8", "\xF0\x9F\x94\xA5"};
  const auto word = [&](std::size_t n) {
    std::string text;
    for (std::size_t i = 0; i < n; ++i) text += letters[random.bits32() % letters.size()];
    return text;
  };
  int hits = 0;
  for (int round = 0; round < 3000; ++round) {
    std::vector<std::string> list;
    for (std::size_t i = 0; i <= random.bits32() % 3; ++i)
      list.push_back(word(1 + random.bits32() % 5));
    StopStrings stops(list);
    std::string text, shown;
    for (int piece = 0; piece < 6 && !stops.found(); ++piece) {
      const std::string next = word(random.bits32() % 4);
      text += next;
      shown += stops.push(next);
      bool found = false;
      ASSERT_EQ(shown, shown_after(text, list, found)) << text;
      ASSERT_EQ(stops.found(), found);
      ASSERT_TRUE(utf8::is_valid(shown));
    }
    hits += stops.found();
    if (stops.found()) continue;
    EXPECT_EQ(shown + stops.finish(), text);
  }
  EXPECT_GT(hits, 500);
  EXPECT_LT(hits, 2900);
}

}  // namespace
}  // namespace hearth
