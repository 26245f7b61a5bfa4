// Every quantiser, of every level that this machine runs: properties that hold whatever the search
// does. How good the search is, the conformance tests compare with published files.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "kernels/dispatch.h"
#include "kernels/quant_blocks.h"

namespace hearth::kernels {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kMax = std::numeric_limits<float>::max();
constexpr std::uint8_t kGuard = 0xA5;

std::vector<float> normal(std::size_t n, float sigma, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<float> x(n);
  // the sum of twelve uniform numbers, because std::normal_distribution differs between libraries
  for (float& v : x) {
    double sum = -6;
    for (int i = 0; i < 12; ++i) sum += static_cast<double>(random()) / 4294967296.0;
    v = sigma * static_cast<float>(sum);
  }
  return x;
}

double nmse(const std::vector<float>& reference, const std::vector<float>& x) {
  double error = 0;
  double power = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double off = static_cast<double>(x[i]) - reference[i];
    error += off * off;
    power += static_cast<double>(reference[i]) * reference[i];
  }
  return power > 0 ? error / power : error;
}

struct Codec {
  KernelTable table;
  const QuantTypeInfo* info;

  std::vector<std::uint8_t> quantize(const std::vector<float>& x) const {
    std::vector<std::uint8_t> bytes(row_bytes(*info, x.size()) + 1, kGuard);
    table.quantize_row[info->type](x.data(), bytes.data(), x.size());
    EXPECT_EQ(bytes.back(), kGuard) << info->name << " wrote behind its output";
    bytes.pop_back();
    return bytes;
  }

  std::vector<float> round_trip(const std::vector<float>& x) const {
    const std::vector<std::uint8_t> bytes = quantize(x);
    std::vector<float> out(x.size());
    table.dequantize_row[info->type](bytes.data(), out.data(), out.size());
    return out;
  }

  bool is_float() const { return info->block_elements == 1; }
};

/// The body runs for every type on every level.
template <class Body>
void for_every_codec(Body body) {
  for (const IsaLevel& level : all_isa_levels()) {
    if (!level.is_supported()) continue;
    const KernelTable table = make_kernel_table(&level);
    for (const QuantTypeInfo& info : all_quant_types()) {
      if (!info.is_weight) {
        EXPECT_EQ(table.quantize_row[info.type], nullptr) << info.name;
        continue;
      }
      ASSERT_NE(table.quantize_row[info.type], nullptr) << info.name;
      SCOPED_TRACE(std::string(level.name) + " " + std::string(info.name));
      body(Codec{table, &info});
    }
  }
}

/// Error of independent normal numbers that a type of this many levels must not exceed: what an
/// unsearched rounding to the extremes of the block makes.
struct Bound {
  QuantType type;
  double nmse;
};

constexpr Bound kBounds[] = {
    {QuantType::F32, 0},        {QuantType::F16, 1e-7},      {QuantType::BF16, 5e-6},
    {QuantType::Q4_0, 7.4e-3},  {QuantType::Q4_1, 6.2e-3},   {QuantType::Q5_0, 1.9e-3},
    {QuantType::Q5_1, 1.5e-3},  {QuantType::Q8_0, 2.9e-5},   {QuantType::Q2_K, 8.8e-2},
    {QuantType::Q3_K, 2.3e-2},  {QuantType::Q4_K, 5.2e-3},   {QuantType::Q5_K, 1.4e-3},
    {QuantType::Q6_K, 3.3e-4},  {QuantType::IQ4_NL, 5.9e-3}, {QuantType::IQ4_XS, 6.0e-3},
    {QuantType::MXFP4, 1.4e-2},
};

double bound_of(QuantType type) {
  for (const Bound& bound : kBounds) {
    if (bound.type == type) return bound.nmse;
  }
  return 0;
}

TEST(Quantize, ErrorOfNormalNumbersIsWithinTheBound) {
  for_every_codec([](const Codec& codec) {
    for (std::size_t blocks : {1, 3, 32}) {
      const std::vector<float> x = normal(blocks * 256, 0.02f, 7);
      // a few blocks are a small sample
      const double slack = blocks == 32 ? 1 : 1.5;
      EXPECT_LE(nmse(x, codec.round_trip(x)), slack * bound_of(codec.info->type));
    }
  });
}

TEST(Quantize, OddBlockCountsGiveTheSameBlocks) {
  for_every_codec([](const Codec& codec) {
    const std::size_t n = codec.info->block_elements;
    const std::vector<float> all = normal(17 * n, 1.0f, 3);
    const std::vector<std::uint8_t> expected = codec.quantize(all);
    for (std::size_t blocks : {0, 1, 2, 5, 16}) {
      const std::vector<float> some(all.begin(), all.begin() + static_cast<long>(blocks * n));
      const std::vector<std::uint8_t> got = codec.quantize(some);
      EXPECT_TRUE(std::equal(got.begin(), got.end(), expected.begin())) << blocks << " blocks";
    }
  });
}

TEST(Quantize, ZerosStayZeros) {
  for_every_codec([](const Codec& codec) {
    for (const float v : codec.round_trip(std::vector<float>(512, 0.0f))) ASSERT_EQ(v, 0.0f);
  });
}

TEST(Quantize, AZeroSubBlockAmongOthersStaysZero) {
  for_every_codec([](const Codec& codec) {
    std::vector<float> x = normal(512, 1.0f, 5);
    std::fill(x.begin() + 64, x.begin() + 96, 0.0f);
    const std::vector<float> y = codec.round_trip(x);
    for (int i = 64; i < 96; ++i) ASSERT_EQ(y[static_cast<std::size_t>(i)], 0.0f) << i;
  });
}

/// What is already quantised is kept: exactly where a block has one scale, and within a small part
/// of the type's own error where scales are quantised too.
TEST(Quantize, QuantisingAgainChangesNothingOrLittle) {
  for_every_codec([](const Codec& codec) {
    const std::vector<float> x = normal(64 * 256, 0.3f, 11);
    const std::vector<float> once = codec.round_trip(x);
    const std::vector<float> twice = codec.round_trip(once);
    const bool has_super_blocks = codec.info->block_elements == kSuperBlockElements;
    const bool is_fine = codec.info->type == QuantType::Q8_0;
    const double allowed = has_super_blocks || is_fine ? 0.1 : 1e-5;
    EXPECT_LE(nmse(once, twice), allowed * std::max(nmse(x, once), 1e-12));
  });
}

/// Scaling by a power of two scales the result: nothing but the half's own range is absolute.
TEST(Quantize, PowersOfTwoFactorOut) {
  for_every_codec([](const Codec& codec) {
    const std::vector<float> x = normal(4 * 256, 4.0f, 13);
    std::vector<float> scaled = x;
    for (float& v : scaled) v *= 16.0f;
    const std::vector<float> a = codec.round_trip(x);
    const std::vector<float> b = codec.round_trip(scaled);
    for (std::size_t i = 0; i < a.size(); ++i) ASSERT_EQ(a[i] * 16.0f, b[i]) << i;
  });
}

TEST(Quantize, LargeAndSmallNumbersKeepTheirPrecision) {
  for_every_codec([](const Codec& codec) {
    if (codec.info->type == QuantType::F16) return;
    for (const float sigma : {1e-3f, 1.0f, 1e4f}) {
      const std::vector<float> x = normal(8 * 256, sigma, 17);
      EXPECT_LE(nmse(x, codec.round_trip(x)), 1.3 * bound_of(codec.info->type)) << sigma;
    }
  });
}

TEST(Quantize, HeavyTailsAreRepresented) {
  for_every_codec([](const Codec& codec) {
    std::vector<float> x = normal(512, 0.01f, 19);
    x[5] = 3.0f;
    x[300] = -3.0f;
    const std::vector<float> y = codec.round_trip(x);
    EXPECT_NEAR(y[5], 3.0f, 0.5f);
    EXPECT_NEAR(y[300], -3.0f, 0.5f);
  });
}

/// A sub-block with one large element can have many scales that hit it. The smallest of them leaves
/// the other sub-blocks, whose scales are multiples of the same unit, the finest steps.
TEST(Quantize, OneLargeElementSparesTheOtherSubBlocks) {
  for_every_codec([](const Codec& codec) {
    std::vector<float> x = normal(64 * 256, 0.02f, 37);
    for (std::size_t i = 0; i < x.size(); i += 256) x[i + 17] = 40 * x[i + 17] + 0.4f;
    const std::vector<float> y = codec.round_trip(x);
    std::vector<float> rest_of_x;
    std::vector<float> rest_of_y;
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (i % 256 < 32) continue;
      rest_of_x.push_back(x[i]);
      rest_of_y.push_back(y[i]);
    }
    // scales of four bits cannot reach that far
    const double allowed = codec.info->type == QuantType::Q2_K ? 4 : 1.5;
    EXPECT_LE(nmse(rest_of_x, rest_of_y), allowed * bound_of(codec.info->type));
  });
}

TEST(Quantize, AnythingGivesFiniteNumbersInBlocks) {
  for_every_codec([](const Codec& codec) {
    if (codec.is_float()) return;
    for (const float odd : {kNan, -kNan, kInf, -kInf, kMax, -kMax, 1e30f, 1e-30f, 1e-45f, -0.0f}) {
      for (const float rest : {0.0f, 1.0f, odd}) {
        std::vector<float> x(512, rest);
        x[0] = odd;
        x[100] = odd;
        for (const float v : codec.round_trip(x)) ASSERT_TRUE(std::isfinite(v)) << odd;
      }
    }
  });
}

/// Sub-blocks of very different size in one super-block: the smallest cannot be told from zero, and
/// sums of squares of the same numbers differ in their last bits.
TEST(Quantize, WideRangesGiveFiniteNumbers) {
  for_every_codec([](const Codec& codec) {
    if (codec.is_float()) return;
    for (int exponent = -40; exponent <= 20; ++exponent) {
      std::vector<float> x = normal(512, std::ldexp(1.0f, exponent), 31);
      for (const std::size_t spike : {9, 400}) {
        for (const float v : codec.round_trip(x)) ASSERT_TRUE(std::isfinite(v)) << exponent;
        x[spike] = 1e38f;
      }
    }
  });
}

TEST(Quantize, NanCountsAsZeroAndSparesItsNeighbours) {
  for_every_codec([](const Codec& codec) {
    if (codec.is_float()) return;
    std::vector<float> x = normal(512, 1.0f, 23);
    x[7] = 0.0f;
    const std::vector<std::uint8_t> expected = codec.quantize(x);
    x[7] = kNan;
    EXPECT_EQ(codec.quantize(x), expected);
  });
}

TEST(Quantize, FloatsKeepNanAndInfinity) {
  for_every_codec([](const Codec& codec) {
    if (!codec.is_float()) return;
    const std::vector<float> y = codec.round_trip({kNan, kInf, -kInf, -0.0f});
    EXPECT_TRUE(std::isnan(y[0]));
    EXPECT_EQ(y[1], kInf);
    EXPECT_EQ(y[2], -kInf);
    EXPECT_TRUE(std::signbit(y[3]));
  });
}

/// Data that lies above zero, as some biases and scales do: minima would have to be negative.
TEST(Quantize, AnOffsetCostsTypesWithMinimaNothing) {
  const KernelTable& table = scalar_kernels();
  for (const QuantType type :
       {QuantType::Q4_1, QuantType::Q5_1, QuantType::Q2_K, QuantType::Q4_K, QuantType::Q5_K}) {
    const Codec codec{table, &quant_type_info(type)};
    std::vector<float> above = normal(16 * 256, 0.1f, 29);
    for (float& v : above) v += 1.0f;
    std::vector<float> below = above;
    for (float& v : below) v = -v;
    const double up = nmse(above, codec.round_trip(above));
    const double down = nmse(below, codec.round_trip(below));
    EXPECT_NEAR(up, down, 0.2 * down) << codec.info->name;
    // the spread is a tenth of the size, so its error is a hundredth, and as much again for the
    // offsets, which super-blocks hold in 4 or 6 bits
    const double offset_bits = type == QuantType::Q2_K ? 4 : 6;
    const double offset_error = std::exp2(-2 * offset_bits) / 12;
    EXPECT_LT(up, 0.01 * bound_of(type) + 2 * offset_error) << codec.info->name;
  }
}

}  // namespace
}  // namespace hearth::kernels
