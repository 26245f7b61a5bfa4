// Blocks written out byte by byte, with values worked out by hand from the descriptions in
// kernels/quant_blocks.h. Numbers that are easy to read as halves: 0x3400 is 0.25, 0x3800 0.5,
// 0x3C00 1, 0x4000 2, 0xC000 -2.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "kernels/dispatch.h"

namespace hearth::kernels {
namespace {

struct Byte {
  std::size_t at;
  std::uint8_t value;
};

/// Elements first..last have this value; later rows override earlier ones.
struct Range {
  std::size_t first;
  std::size_t last;
  float value;
};

struct HandMade {
  QuantType type;
  std::vector<Byte> bytes;  // the others are zero
  std::vector<Range> expected;
};

void PrintTo(const HandMade& block, std::ostream* out) {
  *out << quant_type_info(block.type).name;
}

std::vector<float> dequantize(QuantType type, const std::vector<Byte>& bytes) {
  const QuantTypeInfo& info = quant_type_info(type);
  std::vector<std::uint8_t> block(info.block_bytes);
  for (const Byte& byte : bytes) block[byte.at] = byte.value;
  std::vector<float> out(info.block_elements);
  scalar_kernels().dequantize_row[type](block.data(), out.data(), out.size());
  return out;
}

const std::vector<HandMade>& blocks() {
  static const std::vector<HandMade> kBlocks = {
      {QuantType::F32, {{2, 0x20}, {3, 0xC1}}, {{0, 0, -10.0f}}},
      {QuantType::F16, {{1, 0xC9}}, {{0, 0, -10.0f}}},
      {QuantType::BF16, {{0, 0x20}, {1, 0xC1}}, {{0, 0, -10.0f}}},
      // d = 0.5; nibbles 15 and 2, the others 0: 0.5 * (q - 8)
      {QuantType::Q4_0, {{1, 0x38}, {2, 0x2F}}, {{0, 31, -4.0f}, {0, 0, 3.5f}, {16, 16, -3.0f}}},
      // d = 0.5, m = -2; nibbles 1 and 9 in the last byte
      {QuantType::Q4_1,
       {{1, 0x38}, {3, 0xC0}, {19, 0x91}},
       {{0, 31, -2.0f}, {15, 15, -1.5f}, {31, 31, 2.5f}}},
      // d = 2; fifth bits of elements 0 and 31: 2 * (19 - 16), 2 * (21 - 16)
      {QuantType::Q5_0,
       {{1, 0x40}, {2, 0x01}, {5, 0x80}, {6, 0x03}, {21, 0x50}},
       {{0, 31, -32.0f}, {0, 0, 6.0f}, {31, 31, 10.0f}}},
      // d = 2, m = 1; fifth bit of element 9: 2 * 20 + 1, and 2 * 7 + 1 in the high nibble
      {QuantType::Q5_1,
       {{1, 0x40}, {3, 0x3C}, {5, 0x02}, {17, 0x74}},
       {{0, 31, 1.0f}, {9, 9, 41.0f}, {25, 25, 15.0f}}},
      // d = 0.25; -128 and 127
      {QuantType::Q8_0,
       {{1, 0x34}, {2, 0x80}, {33, 0x7F}},
       {{0, 31, 0.0f}, {0, 0, -32.0f}, {31, 31, 31.75f}}},
      // d = 1, dmin = 2; sub-block 0: q - 6; 9: 15 q; 14: 4 q - 4
      {QuantType::Q2_K,
       {{81, 0x3C},
        {83, 0x40},
        {0, 0x31},
        {9, 0x0F},
        {14, 0x24},
        {16, 0x03},
        {64, 0x02},
        {53, 0xC0}},
       {{0, 255, 0.0f},
        {0, 15, -6.0f},
        {0, 0, -3.0f},
        {144, 144, 30.0f},
        {224, 239, -4.0f},
        {229, 229, 8.0f}}},
      // d = 1, scale 0 - 32 and q 0 - 4 where nothing is set; sub-block 0: 5 (q - 4); 13: -15 (q -
      // 4)
      {QuantType::Q3_K,
       {{109, 0x3C},
        {96, 0x05},
        {104, 0x02},
        {32, 0x03},
        {0, 0x01},
        {101, 0x10},
        {105, 0x40},
        {80, 0x20},
        {16, 0x40}},
       {{0, 255, 128.0f}, {0, 15, -20.0f}, {0, 0, 15.0f}, {208, 223, 60.0f}, {208, 208, -30.0f}}},
      // d = 1, dmin = 0.5; sub-block 0: 3 q - 1; 5: 43 q - 15
      {QuantType::Q4_K,
       {{1, 0x3C},
        {3, 0x38},
        {4, 3},
        {8, 2},
        {13, 0xEB},
        {5, 0x80},
        {9, 0x40},
        {16, 0x07},
        {83, 0xA0}},
       {{0, 255, 0.0f}, {0, 31, -1.0f}, {0, 0, 20.0f}, {160, 191, -15.0f}, {163, 163, 415.0f}}},
      // d = 1, dmin = 1; sub-block 0: 2 q - 1, q = 5 + 16; 7: 63 q, q = 1 + 16
      {QuantType::Q5_K,
       {{1, 0x3C},
        {3, 0x3C},
        {4, 2},
        {8, 1},
        {48, 0x05},
        {16, 0x01},
        {7, 0xC0},
        {15, 0x0F},
        {175, 0x10},
        {47, 0x80}},
       {{0, 255, 0.0f}, {0, 31, -1.0f}, {0, 0, 41.0f}, {255, 255, 1071.0f}}},
      // d = 0.5; sub-block 0: q - 32, q = 15 + 48; 15: -0.5 (q - 32), q = 1 + 32
      {QuantType::Q6_K,
       {{209, 0x38}, {192, 0x02}, {0, 0x0F}, {128, 0x03}, {207, 0xFF}, {127, 0x10}, {191, 0x80}},
       {{0, 255, 0.0f}, {0, 15, -32.0f}, {0, 0, 31.0f}, {240, 255, 16.0f}, {255, 255, -0.5f}}},
      // d = 0.5; values 0, 15, 7 and 8 of the table
      {QuantType::IQ4_NL,
       {{1, 0x38}, {2, 0xF0}, {3, 0x87}},
       {{0, 31, -63.5f}, {16, 16, 56.5f}, {1, 1, -5.0f}, {17, 17, 0.5f}}},
      // d = 1; scale 0 - 32 where nothing is set; sub-block 3: 42 - 32
      {QuantType::IQ4_XS,
       {{1, 0x3C}, {5, 0xA0}, {2, 0x80}, {60, 0x8F}},
       {{0, 255, 4064.0f}, {96, 127, -1270.0f}, {100, 100, 1130.0f}, {116, 116, 10.0f}}},
      // 2^(128 - 127); 6 and -0.5
      {QuantType::MXFP4, {{0, 0x80}, {1, 0x97}}, {{0, 31, 0.0f}, {0, 0, 12.0f}, {16, 16, -1.0f}}},
  };
  return kBlocks;
}

class HandMadeBlock : public ::testing::TestWithParam<HandMade> {};

TEST_P(HandMadeBlock, HasTheValuesWorkedOutByHand) {
  const HandMade& block = GetParam();
  std::vector<float> expected(quant_type_info(block.type).block_elements, NAN);
  for (const Range& range : block.expected) {
    for (std::size_t i = range.first; i <= range.last; ++i) expected[i] = range.value;
  }
  const std::vector<float> got = dequantize(block.type, block.bytes);
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_EQ(got[i], expected[i]) << "element " << i;
}

INSTANTIATE_TEST_SUITE_P(All, HandMadeBlock, ::testing::ValuesIn(blocks()), [](const auto& made) {
  return std::string(quant_type_info(made.param.type).name);
});

TEST(HandMadeBlocks, CoverEveryWeightType) {
  std::size_t weight_types = 0;
  for (const QuantTypeInfo& info : all_quant_types()) weight_types += info.is_weight;
  EXPECT_EQ(blocks().size(), weight_types);
}

TEST(MXFP4, TheEndsOfTheScale) {
  // 0.5 * 2^-127 and 6 * 2^-127 are below the normal floats
  const std::vector<float> smallest = dequantize(QuantType::MXFP4, {{1, 0x71}});
  EXPECT_EQ(smallest[0], 0x1p-128f);
  EXPECT_EQ(smallest[16], 0x1.8p-125f);
  // 1 * 2^127 is the largest power of two
  EXPECT_EQ(dequantize(QuantType::MXFP4, {{0, 254}, {1, 0x02}})[0], 0x1p127f);
  for (const float v : dequantize(QuantType::MXFP4, {{0, 255}})) EXPECT_TRUE(std::isnan(v));
}

}  // namespace
}  // namespace hearth::kernels
