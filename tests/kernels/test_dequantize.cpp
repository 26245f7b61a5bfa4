// Every dequantiser, of every level that this machine runs, against the oracle on random blocks.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "kernels/dispatch.h"
#include "kernels/quant_blocks.h"
#include "tests/kernels/block_oracle.h"

namespace hearth::kernels {
namespace {

using hearth::testing::oracle_element;

constexpr float kGuard = 12345.0f;

std::vector<std::uint8_t> random_bytes(std::size_t n, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<std::uint8_t> bytes(n);
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random());
  return bytes;
}

/// Rows of `blocks` blocks of random bits (so infinite and NaN scales come too), at every
/// alignment.
void compare_with_oracle(const KernelTable& table, const QuantTypeInfo& info, int blocks) {
  const std::size_t n = static_cast<std::size_t>(blocks) * info.block_elements;
  for (std::size_t misalignment : {0, 1, 3}) {
    const auto bytes = random_bytes(misalignment + row_bytes(info, n),
                                    static_cast<std::uint32_t>(blocks + 100 * misalignment));
    const std::uint8_t* row = bytes.data() + misalignment;
    std::vector<float> out(n + 1, kGuard);
    table.dequantize_row[info.type](row, out.data(), n);
    ASSERT_EQ(out[n], kGuard) << "wrote behind its output";
    for (std::size_t i = 0; i < n; ++i) {
      const auto expected = static_cast<float>(
          oracle_element(info.type, row + i / info.block_elements * info.block_bytes,
                         static_cast<int>(i % info.block_elements)));
      if (std::isnan(expected)) {
        ASSERT_TRUE(std::isnan(out[i])) << info.name << " element " << i;
      } else {
        ASSERT_EQ(out[i], expected)
            << info.name << " element " << i << " of " << blocks << " blocks";
      }
    }
  }
}

TEST(Dequantize, EqualsTheOracleOnRandomBlocks) {
  for (const IsaLevel& level : all_isa_levels()) {
    if (!level.is_supported()) continue;
    SCOPED_TRACE(std::string(level.name));
    const KernelTable table = make_kernel_table(&level);
    for (const QuantTypeInfo& info : all_quant_types()) {
      if (!info.is_weight) {
        EXPECT_EQ(table.dequantize_row[info.type], nullptr) << info.name;
        continue;
      }
      ASSERT_NE(table.dequantize_row[info.type], nullptr) << info.name;
      for (int blocks : {0, 1, 2, 3, 5, 17, 100}) compare_with_oracle(table, info, blocks);
    }
  }
}

/// The sign of a zero included; what is no number may be any.
void compare_with_the_statement(const KernelTable& table, const QuantTypeInfo& info) {
  for (int blocks = 1; blocks <= 40; ++blocks) {
    const std::size_t n = static_cast<std::size_t>(blocks) * info.block_elements;
    const auto row = random_bytes(row_bytes(info, n), static_cast<std::uint32_t>(7 * blocks));
    std::vector<float> out(n), expected(n);
    table.dequantize_row[info.type](row.data(), out.data(), n);
    scalar_kernels().dequantize_row[info.type](row.data(), expected.data(), n);
    for (std::size_t i = 0; i < n; ++i) {
      if (std::isnan(expected[i]) && std::isnan(out[i])) continue;
      ASSERT_EQ(std::bit_cast<std::uint32_t>(out[i]), std::bit_cast<std::uint32_t>(expected[i]))
          << info.name << " element " << i << " of " << blocks << " blocks";
    }
  }
}

TEST(Dequantize, EveryLevelGivesTheBitsOfTheStatement) {
  for (const IsaLevel& level : all_isa_levels()) {
    if (!level.is_supported()) continue;
    SCOPED_TRACE(std::string(level.name));
    const KernelTable table = make_kernel_table(&level);
    for (const QuantTypeInfo& info : all_quant_types()) {
      if (info.is_weight) compare_with_the_statement(table, info);
    }
  }
}

}  // namespace
}  // namespace hearth::kernels
