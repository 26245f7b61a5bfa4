#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "base/stable_math.h"

namespace hearth {
namespace {

// Units in the last place of a double between `got` and the long double `exact`.
double ulps(double got, long double exact) {
  const double unit = std::nextafter(std::abs(got), INFINITY) - std::abs(got);
  return static_cast<double>(std::abs(static_cast<long double>(got) - exact) / unit);
}

TEST(StableExp, IsWithinTwoUlpsOfTheTrueValue) {
  double worst = 0;
  for (int i = 0; i <= 200000; ++i) {
    const double x = -708.0 + i * (1417.0 / 200000);
    worst = std::max(worst, ulps(stable_exp(x), std::exp(static_cast<long double>(x))));
  }
  for (int i = -100000; i <= 100000; ++i) {
    const double x = i * 1e-5;
    worst = std::max(worst, ulps(stable_exp(x), std::exp(static_cast<long double>(x))));
  }
  EXPECT_LE(worst, 2.0);
  EXPECT_GT(worst, 0.4);  // a bound far from the truth would say that the measure is wrong
}

TEST(StableExp, IsExactWhereItMustBe) {
  EXPECT_EQ(stable_exp(0.0), 1.0);
  EXPECT_EQ(stable_exp(-708.5), 0.0);
  EXPECT_EQ(stable_exp(-std::numeric_limits<double>::infinity()), 0.0);
  EXPECT_EQ(stable_exp(709.5), std::numeric_limits<double>::infinity());
}

// What makes it stable: the operations are those of IEEE 754 in the order of the source. These bits
// were worked out with exact rational arithmetic, rounding after every step as the code does.
TEST(StableExp, HasTheBitsOfItsDefinition) {
  const auto bits = [](double x) {
    std::uint64_t b = 0;
    std::memcpy(&b, &x, sizeof b);
    return b;
  };
  EXPECT_EQ(bits(stable_exp(-0.1)), 0x3fecf46d99d52b3au);
  EXPECT_EQ(bits(stable_exp(-3.25)), 0x3fa3da368521902du);
  EXPECT_EQ(bits(stable_exp(-27.7)), 0x3d706b6b1f53b438u);
}

TEST(StableLog, IsWithinTwoUlpsOfTheTrueValue) {
  double worst = 0;
  for (int i = 1; i <= 200000; ++i) {
    for (const double x : {i * 1e-5, i * 0.37, std::ldexp(1.0 + i * 3e-6, i % 2000 - 1000)}) {
      worst = std::max(worst, ulps(stable_log(x), std::log(static_cast<long double>(x))));
    }
  }
  EXPECT_LE(worst, 2.0);
  EXPECT_EQ(stable_log(1.0), 0.0);
}

TEST(StablePow, IsTheRopeFrequencyOfEveryDimension) {
  for (const double base : {10000.0, 500000.0, 1000000.0}) {
    for (int i = 0; i < 64; ++i) {
      const long double exact = std::pow(static_cast<long double>(base), -2.0L * i / 128);
      EXPECT_LE(ulps(stable_pow(base, -2.0 * i / 128), exact), 40.0);
    }
  }
  EXPECT_EQ(stable_pow(7.0, 0.0), 1.0);
}

TEST(StableSinCos, AreCloseForEveryAngleOfAContext) {
  double worst = 0;
  for (int i = -300000; i <= 300000; ++i) {
    for (const double x : {i * 1e-4, i * 0.73, i * 3.1415926535897931}) {
      const SinCos got = stable_sin_cos(x);
      const auto angle = static_cast<long double>(x);
      worst = std::max(worst, static_cast<double>(std::abs(got.sin - std::sin(angle))));
      worst = std::max(worst, static_cast<double>(std::abs(got.cos - std::cos(angle))));
    }
  }
  EXPECT_LE(worst, 0x1p-52);
  EXPECT_GT(worst, 0x1p-56);
  EXPECT_EQ(stable_sin_cos(0.0).cos, 1.0);
}

TEST(StableTanhAndErf, AreClose) {
  double worst_tanh = 0;
  double worst_erf = 0;
  double worst_small = 0;
  for (int i = -80000; i <= 80000; ++i) {
    const double x = i * 1e-4;
    const auto wide = static_cast<long double>(x);
    worst_tanh =
        std::max(worst_tanh, static_cast<double>(std::abs(stable_tanh(x) - std::tanh(wide))));
    worst_erf = std::max(worst_erf, static_cast<double>(std::abs(stable_erf(x) - std::erf(wide))));
    const double tiny = i * 1e-9;
    if (i != 0)
      worst_small =
          std::max(worst_small, ulps(stable_tanh(tiny), std::tanh(static_cast<long double>(tiny))));
  }
  EXPECT_LE(worst_tanh, 0x1p-52);
  EXPECT_LE(worst_erf, 0x1p-48);
  EXPECT_LE(worst_small, 2.0);
  EXPECT_EQ(stable_tanh(1e300), 1.0);
  EXPECT_EQ(stable_tanh(-INFINITY), -1.0);
  EXPECT_EQ(stable_erf(INFINITY), 1.0);
  EXPECT_TRUE(std::isnan(stable_tanh(NAN)));
  EXPECT_TRUE(std::isnan(stable_erf(NAN)));
}

TEST(LogSumExp, OfKnownProbabilities) {
  // 1/2 + 1/4 + 1/8 + 1/16 + 1/16 = 1, shifted by 100: the logarithm of the sum is 100
  std::vector<float> logits;
  for (const float p : {0.5f, 0.25f, 0.125f, 0.0625f, 0.0625f}) logits.push_back(std::log(p));
  EXPECT_NEAR(log_sum_exp(logits), 0.0, 1e-7);
  EXPECT_NEAR(log_sum_exp(std::vector<float>{1000.0f, 1000.0f}), 1000.0 + std::log(2.0), 1e-12);
  EXPECT_EQ(log_sum_exp(std::vector<float>{-5.0f, -INFINITY}), -5.0);
}

}  // namespace
}  // namespace hearth
