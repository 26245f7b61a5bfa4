// Expected values are worked out by hand.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "base/nmse.h"

namespace hearth {
namespace {

using Floats = std::vector<float>;

double nmse_of(const Floats& got, const Floats& truth) {
  return nmse(got, truth);
}

TEST(Nmse, IsTheSquaredErrorOverTheSquaredTruth) {
  EXPECT_EQ(nmse_of({4.0F, 4.0F}, {3.0F, 4.0F}), 1.0 / 25.0);
  EXPECT_EQ(nmse_of({2.0F, 1.0F, 0.0F}, {1.0F, 2.0F, 2.0F}), (1.0 + 1.0 + 4.0) / 9.0);
  EXPECT_EQ(nmse_of({0.0F, 0.0F}, {0.5F, -7.0F}), 1.0);  // nothing instead of the truth
  EXPECT_EQ(nmse_of({-3.0F}, {3.0F}), 4.0);
}

// The truth is what it is measured by: the two sides do not change places.
TEST(Nmse, IsRelativeToTheTruth) {
  EXPECT_EQ(nmse_of({2.0F}, {1.0F}), 1.0);
  EXPECT_EQ(nmse_of({1.0F}, {2.0F}), 0.25);
}

TEST(Nmse, AddsUpInDouble) {
  // In float, neither 1e20 squared nor 1e-30 squared is a normal number.
  EXPECT_NEAR(nmse_of({2e20F}, {1e20F}), 1.0, 1e-6);
  EXPECT_NEAR(nmse_of({3e-30F}, {1e-30F}), 4.0, 1e-6);
  // 2^24 + 1 is no float: of so many ones the last would be lost.
  EXPECT_EQ(nmse_of(Floats((1U << 24) + 1, 0.0F), Floats((1U << 24) + 1, 1.0F)), 1.0);
  EXPECT_EQ(nmse_of({4097.0F}, {4096.0F}), 1.0 / (4096.0 * 4096.0));
}

TEST(Nmse, OfAZeroTruthIsZeroOrInfinite) {
  EXPECT_EQ(nmse_of({}, {}), 0.0);
  EXPECT_EQ(nmse_of({0.0F, -0.0F}, {0.0F, 0.0F}), 0.0);
  EXPECT_EQ(nmse_of({1e-30F}, {0.0F}), std::numeric_limits<double>::infinity());
}

TEST(Nmse, OfWhatIsNoNumberIsNone) {
  EXPECT_TRUE(std::isnan(nmse_of({std::nanf("")}, {1.0F})));
  EXPECT_TRUE(std::isnan(nmse_of({1.0F}, {std::nanf("")})));
}

}  // namespace
}  // namespace hearth
