#include <gtest/gtest.h>

#include "kernels/quant_types.h"

namespace hearth {
namespace {

TEST(QuantTypes, EveryRowIsFoundByNumberAndByName) {
  for (const QuantTypeInfo& info : all_quant_types()) {
    EXPECT_EQ(find_quant_type(static_cast<std::uint32_t>(info.type)), &info);
    EXPECT_EQ(find_quant_type(info.name), &info);
    EXPECT_EQ(&quant_type_info(info.type), &info);
  }
  EXPECT_EQ(find_quant_type("q4_k")->type, QuantType::Q4_K);
}

TEST(QuantTypes, EveryNumberFitsTheSlots) {
  for (const QuantTypeInfo& info : all_quant_types()) {
    EXPECT_LT(static_cast<std::uint32_t>(info.type), kQuantTypeSlots);
  }
}

TEST(QuantTypes, UnknownOnesAreNotFound) {
  EXPECT_EQ(find_quant_type(4u), nullptr);  // Q4_2, removed from the format
  EXPECT_EQ(find_quant_type(0xFFFFFFFFu), nullptr);
  EXPECT_EQ(find_quant_type("Q9_9"), nullptr);
}

// Bits per weight as they are published for each type.
TEST(QuantTypes, TypesThatAreOnlyKnownHaveTheirPublishedSizes) {
  const auto bits = [](QuantType type) {
    const QuantTypeInfo& info = quant_type_info(type);
    EXPECT_FALSE(info.is_weight) << info.name;
    return 8.0 * info.block_bytes / info.block_elements;
  };
  EXPECT_EQ(bits(QuantType::IQ2_XXS), 2.0625);
  EXPECT_EQ(bits(QuantType::IQ2_XS), 2.3125);
  EXPECT_EQ(bits(QuantType::IQ3_XXS), 3.0625);
  EXPECT_EQ(bits(QuantType::IQ1_S), 1.5625);
  EXPECT_EQ(bits(QuantType::IQ3_S), 3.4375);
  EXPECT_EQ(bits(QuantType::IQ2_S), 2.5625);
  EXPECT_EQ(bits(QuantType::IQ1_M), 1.75);
  EXPECT_EQ(bits(QuantType::TQ1_0), 1.6875);
  EXPECT_EQ(bits(QuantType::TQ2_0), 2.0625);
  EXPECT_EQ(bits(QuantType::NVFP4), 4.5);
  EXPECT_EQ(bits(QuantType::Q1_0), 1.125);
  EXPECT_EQ(bits(QuantType::Q2_0), 2.25);
}

TEST(QuantTypes, RowBytes) {
  EXPECT_EQ(row_bytes(quant_type_info(QuantType::Q4_K), 4096), 4096u / 256 * 144);
  EXPECT_EQ(row_bytes(quant_type_info(QuantType::F32), 3), 12u);
}

}  // namespace
}  // namespace hearth
