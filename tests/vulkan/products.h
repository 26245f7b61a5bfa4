// Products, chosen experts and rows of a random matrix, on the device and on the reference.
#pragma once

#include <cstdint>
#include <string>

#include "tests/vulkan/vulkan_test.h"

namespace hearth::test {

/// Float sums in another order: far below what any format loses.
inline constexpr double kExactProduct = 1e-11;

struct ProductShape {
  int rows = 0;  // of the matrix
  int columns = 0;
  int n = 1;                // rows of x
  bool is_aligned = false;  // which begin at multiples of four floats, and are read as vectors
};

/// Columns that a row of the type may have, in 256: whole units of shaders.
inline constexpr int kWholeColumns = 256;

/// Columns that a row of the type may have: not a multiple of 32 where it may be anything.
int ragged_columns(QuantType type);

/// Whether the device multiplies n rows of x by weights of the type in integers: the reference then
/// takes what bytes make of x.
bool is_in_integers(const VulkanDevice& device, QuantType type, int n);

void expect_product(VulkanDevice& device, QuantType type, const ProductShape& shape,
                    double bar = kExactProduct);

/// Three experts of four, whose matrices have `rows` rows each, for inputs per token and per
/// choice.
void expect_experts(VulkanDevice& device, QuantType type, int rows, int columns, int n_tokens = 3);

/// Rows of a table of 150, some of them twice.
void expect_rows(VulkanDevice& device, QuantType type, int columns);

std::string type_name(QuantType type);

}  // namespace hearth::test
