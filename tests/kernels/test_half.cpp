// Every half and bfloat16 against arithmetic in double, written from the definition of the formats.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>

#include "kernels/half.h"

namespace hearth::kernels {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

/// A binary floating-point number of 16 bits by its definition: sign, exponent, fraction.
double by_definition(std::uint32_t bits, int exponent_bits, int fraction_bits) {
  const int bias = (1 << (exponent_bits - 1)) - 1;
  const int exponent = static_cast<int>(bits >> fraction_bits) & ((1 << exponent_bits) - 1);
  const int fraction = static_cast<int>(bits) & ((1 << fraction_bits) - 1);
  const double sign = bits >> 15 ? -1 : 1;
  if (exponent == (1 << exponent_bits) - 1) {
    return fraction ? std::numeric_limits<double>::quiet_NaN() : sign * HUGE_VAL;
  }
  if (exponent == 0) return sign * std::ldexp(fraction, 1 - bias - fraction_bits);
  return sign * std::ldexp((1 << fraction_bits) + fraction, exponent - bias - fraction_bits);
}

struct Format {
  int exponent_bits;
  int fraction_bits;
  float (*widen)(std::uint16_t);
  std::uint16_t (*narrow)(float);
};

constexpr Format kHalf = {5, 10, f16_to_f32, f32_to_f16};
constexpr Format kBrain = {8, 7, bf16_to_f32, f32_to_bf16};

void widening_is_exact(const Format& format) {
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    const double expected = by_definition(bits, format.exponent_bits, format.fraction_bits);
    const float got = format.widen(static_cast<std::uint16_t>(bits));
    if (std::isnan(expected)) {
      ASSERT_TRUE(std::isnan(got)) << bits;
    } else {
      ASSERT_EQ(static_cast<double>(got), expected) << bits;
    }
    ASSERT_EQ(std::signbit(got), bits >> 15 != 0) << bits;
  }
}

TEST(Half, WideningIsExactForAllOfThem) {
  widening_is_exact(kHalf);
}
TEST(BFloat16, WideningIsExactForAllOfThem) {
  widening_is_exact(kBrain);
}

/// Every number, what lies halfway to its neighbour, and the floats just beside the halfway point.
void narrowing_rounds_to_nearest_even(const Format& format) {
  const std::uint32_t infinity = ((1u << format.exponent_bits) - 1) << format.fraction_bits;
  for (std::uint32_t bits = 0; bits < infinity; ++bits) {
    const double here = by_definition(bits, format.exponent_bits, format.fraction_bits);
    const double below =
        bits ? by_definition(bits - 1, format.exponent_bits, format.fraction_bits) : 0;
    // above the largest number, the distance to what would be the next one
    const double above = bits + 1 < infinity
                             ? by_definition(bits + 1, format.exponent_bits, format.fraction_bits)
                             : here + (here - below);
    const auto halfway = static_cast<float>(here + (above - here) / 2);
    ASSERT_EQ(format.narrow(static_cast<float>(here)), bits);
    ASSERT_EQ(format.narrow(-static_cast<float>(here)), bits | 0x8000u);
    ASSERT_EQ(format.narrow(halfway), bits % 2 == 0 ? bits : bits + 1);
    ASSERT_EQ(format.narrow(std::nextafter(halfway, 0.0f)), bits);
    ASSERT_EQ(format.narrow(std::nextafter(halfway, kInf)), bits + 1);
  }
}

TEST(Half, NarrowingRoundsToNearestEven) {
  narrowing_rounds_to_nearest_even(kHalf);
}
TEST(BFloat16, NarrowingRoundsToNearestEven) {
  narrowing_rounds_to_nearest_even(kBrain);
}

TEST(Half, Limits) {
  EXPECT_EQ(f32_to_f16(65504.0f), 0x7bff);  // the largest
  EXPECT_EQ(f32_to_f16(65519.996f), 0x7bff);
  EXPECT_EQ(f32_to_f16(65520.0f), 0x7c00);
  EXPECT_EQ(f32_to_f16(kInf), 0x7c00);
  EXPECT_EQ(f32_to_f16(-kInf), 0xfc00);
  EXPECT_EQ(f32_to_f16(std::numeric_limits<float>::max()), 0x7c00);
  EXPECT_EQ(f32_to_f16(std::numeric_limits<float>::denorm_min()), 0);
  EXPECT_EQ(f32_to_f16(-0.0f), 0x8000);
  EXPECT_EQ(f32_to_f16(0x1p-25f), 0);  // halfway between 0 and the smallest: to even
  EXPECT_EQ(f32_to_f16(std::nextafter(0x1p-25f, 1.0f)), 1);
}

TEST(BFloat16, Limits) {
  EXPECT_EQ(f32_to_bf16(kInf), 0x7f80);
  EXPECT_EQ(f32_to_bf16(-kInf), 0xff80);
  EXPECT_EQ(f32_to_bf16(std::numeric_limits<float>::max()), 0x7f80);
  EXPECT_EQ(f32_to_bf16(-0.0f), 0x8000);
}

TEST(Half, ANanStaysAQuietNan) {
  // a signalling one whose payload has no bit in the part that is kept
  const float signalling = std::bit_cast<float>(0xff800001u);
  EXPECT_EQ(f32_to_f16(signalling), 0xfe00);
  EXPECT_EQ(f32_to_bf16(signalling), 0xffc0);
  EXPECT_EQ(f32_to_f16(kNan), 0x7e00);
  EXPECT_EQ(f32_to_bf16(kNan), 0x7fc0);
  EXPECT_EQ(std::bit_cast<std::uint32_t>(f16_to_f32(0x7c01)), 0x7fc02000u);
}

}  // namespace
}  // namespace hearth::kernels
