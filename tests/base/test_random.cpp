#include <gtest/gtest.h>

#include "base/random.h"

namespace hearth {
namespace {

// The first outputs of O'Neill's pcg32-demo, seeded with (42, 54).
TEST(Random, GivesThePublishedNumbers) {
  Random random(42, 54);
  for (const std::uint32_t expected :
       {0xa15c02b7u, 0x7b47f409u, 0xba1d3330u, 0x83d2f293u, 0xbfa4784bu, 0xcbed606eu}) {
    EXPECT_EQ(random.bits32(), expected);
  }
}

TEST(Random, UniformIsTheUpper53BitsOfTwoOutputs) {
  Random random(42, 54);
  EXPECT_EQ(random.uniform(), 0xa15c02b77b47f409u / 2048 * 0x1p-53);
  EXPECT_EQ(random.uniform(), 0xba1d333083d2f293u / 2048 * 0x1p-53);
}

TEST(Random, StreamsDiffer) {
  Random a(7, 1), b(7, 2);
  EXPECT_NE(a.bits32(), b.bits32());
}

}  // namespace
}  // namespace hearth
