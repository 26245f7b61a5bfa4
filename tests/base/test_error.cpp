#include <gtest/gtest.h>

#include "base/error.h"

namespace hearth {
namespace {

TEST(Error, JoinsItsPartsIntoOneLine) {
  const Error error({.where = "m.gguf", .what = "bad version", .expected = "2 or 3", .got = "1"});
  EXPECT_STREQ(error.what(), "m.gguf: bad version; expected 2 or 3, got 1");
  EXPECT_EQ(error.parts().expected, "2 or 3");
}

TEST(Error, LeavesOutWhatIsEmpty) {
  EXPECT_STREQ(Error("no model").what(), "no model");
  EXPECT_STREQ(Error({.where = "", .what = "bad", .expected = "", .got = "7"}).what(),
               "bad; got 7");
}

TEST(ErrorDeathTest, ABrokenInvariantAbortsWithFileAndLine) {
  EXPECT_DEATH(HEARTH_CHECK(1 + 1 == 3), "1 \\+ 1 == 3 does not hold at .*test_error.cpp:[0-9]+");
}

}  // namespace
}  // namespace hearth
