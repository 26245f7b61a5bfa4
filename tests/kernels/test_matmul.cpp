// The matrix kernels of every level against the statement in kernels/scalar/matmul.h, bit for bit.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "kernels/dispatch.h"
#include "kernels/panels.h"
#include "tests/kernels/aligned_bytes.h"
#include "tests/kernels/random_blocks.h"

namespace hearth::kernels {
namespace {

using test::AlignedBytes;
using test::Blocks;

struct Case {
  const IsaLevel* level;
  QuantType type;
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.level->name << " " << quant_type_info(c.type).name;
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const IsaLevel& level : all_isa_levels()) {
    for (const QuantTypeInfo& info : all_quant_types()) {
      if (info.is_weight && level.is_supported()) all.push_back({&level, info.type});
    }
  }
  return all;
}

/// A matrix as its panels.
AlignedBytes pack(const std::vector<std::byte>& rows, QuantType type, std::size_t n_rows,
                  std::size_t columns, int lanes) {
  const std::size_t row = row_bytes(quant_type_info(type), columns);
  const std::size_t bytes = panel_bytes(type, columns, lanes);
  const auto step = static_cast<std::size_t>(lanes);
  AlignedBytes panels((n_rows + step - 1) / step * bytes);
  for (std::size_t r = 0; r < n_rows; r += step) {
    pack_panel(type, rows.data() + r * row, static_cast<int>(std::min(step, n_rows - r)), columns,
               lanes, panels.data() + r / step * bytes);
  }
  return panels;
}

struct Columns {
  std::vector<float> values;  // [n][length]
  std::vector<const float*> pointers;

  Columns(int n, std::size_t length, std::mt19937& random)
      : values(static_cast<std::size_t>(n) * length), pointers(static_cast<std::size_t>(n)) {
    std::normal_distribution<float> normal;
    for (float& v : values) v = normal(random);
    for (std::size_t c = 0; c < pointers.size(); ++c) pointers[c] = values.data() + c * length;
  }
};

/// What MatmulOut adds: nothing, biases [n_rows], sums [n_columns][n_rows], or both.
struct Added {
  std::vector<float> bias = {};
  std::vector<float> sums = {};
};

/// out [n_columns][n_rows], with guards around every column. The first stands `misaligned` floats
/// after the alignment of a vector.
std::vector<float> multiply(const KernelTable& table, QuantType type,
                            const std::vector<std::byte>& rows, std::size_t n_rows,
                            std::size_t length, const Columns& columns, std::size_t misaligned = 1,
                            const Added& added = {}) {
  constexpr float kGuard = 12345.0F;
  constexpr std::size_t kGuards = 17;
  const int n_columns = static_cast<int>(columns.pointers.size());
  const MatmulKernel& kernel = table.matmul_for(type, n_columns);
  const AlignedBytes panels = pack(rows, type, n_rows, length, kernel.lanes);
  AlignedBytes memory(strip_bytes(kernel.strip, n_columns, length));
  const Strip strip = make_strip(kernel.strip, n_columns, length, memory.data());
  table.fill_strip[kernel.strip](strip, columns.pointers.data());
  const std::size_t stride = n_rows + kGuards;
  const std::size_t n_floats = misaligned + stride * columns.pointers.size();
  AlignedBytes out_bytes(n_floats * sizeof(float));
  auto* out = reinterpret_cast<float*>(out_bytes.data());
  std::fill_n(out, n_floats, kGuard);
  std::vector<float> untouched(n_floats, kGuard);
  MatmulOut to{.at = out + misaligned, .stride = stride};
  if (!added.bias.empty()) to.bias = added.bias.data();
  if (!added.sums.empty()) {
    to = {.at = untouched.data(),
          .stride = stride,
          .bias = to.bias,
          .sums = to.at,
          .sum_stride = stride};
    for (std::size_t i = 0; i < added.sums.size(); ++i) {
      to.sums[i / n_rows * stride + i % n_rows] = added.sums[i];
    }
  }
  kernel.multiply(panels.data(), n_rows, strip, to);
  EXPECT_EQ(untouched, std::vector<float>(n_floats, kGuard));
  std::vector<float> product;
  for (std::size_t i = 0; i < misaligned; ++i) EXPECT_EQ(out[i], kGuard) << "written before row 0";
  for (std::size_t c = 0; c < columns.pointers.size(); ++c) {
    for (std::size_t r = 0; r < stride; ++r) {
      const float v = out[misaligned + c * stride + r];
      if (r < n_rows) {
        product.push_back(v);
      } else {
        EXPECT_EQ(v, kGuard) << "written past row " << n_rows << " of column " << c;
      }
    }
  }
  return product;
}

/// What the statement says, a strip at a time.
std::vector<float> statement(QuantType type, const std::vector<std::byte>& rows, std::size_t n_rows,
                             std::size_t length, const Columns& columns) {
  std::vector<float> product;
  for (std::size_t first = 0; first < columns.pointers.size(); first += kStripColumns) {
    Columns strip = columns;
    const std::size_t last = std::min(first + kStripColumns, columns.pointers.size());
    strip.pointers.assign(columns.pointers.begin() + static_cast<std::ptrdiff_t>(first),
                          columns.pointers.begin() + static_cast<std::ptrdiff_t>(last));
    const auto part = multiply(scalar_kernels(), type, rows, n_rows, length, strip);
    product.insert(product.end(), part.begin(), part.end());
  }
  return product;
}

class Matmul : public testing::TestWithParam<Case> {
 protected:
  void equals_statement(std::size_t n_rows, std::size_t length, int n_columns,
                        Blocks blocks = Blocks::usual, std::size_t misaligned = 1) {
    SCOPED_TRACE(testing::Message() << n_rows << " rows of " << length << ", " << n_columns
                                    << " columns, blocks " << static_cast<int>(blocks));
    const QuantType type = GetParam().type;
    std::mt19937 random(static_cast<unsigned>(n_rows * 7919 + length + n_columns));
    const auto rows = test::random_rows(type, n_rows, length, blocks, random);
    Columns columns(n_columns, length, random);
    if (blocks == Blocks::extreme) make_extreme(columns, length);
    if (blocks == Blocks::subnormal) make_tiny(columns);
    const auto got = multiply(table_, type, rows, n_rows, length, columns, misaligned);
    const auto want = statement(type, rows, n_rows, length, columns);
    for (std::size_t i = 0; i < want.size(); ++i) {
      ASSERT_EQ(std::memcmp(&got[i], &want[i], sizeof(float)), 0)
          << "element " << i << ": " << got[i] << ", the statement says " << want[i];
      if (blocks == Blocks::zero) {
        ASSERT_EQ(got[i], 0.0F);
      }
    }
  }

  std::size_t block() const {
    return std::max<std::size_t>(4, quant_type_info(GetParam().type).block_elements);
  }

  const KernelTable& table() const { return table_; }

  /// Numbers of columns that this level has a kernel of its own for, if it has.
  std::vector<int> wide_counts() const {
    if (table_.wide_matmul[GetParam().type].multiply == nullptr) return {};
    return {13, 16, 17, 32, 47, 100, kWideStripColumns};
  }

 private:
  /// Quants of 127 and -127: everywhere the one, everywhere the other, or either. There is no
  /// column of -128, which filling a strip never makes of anything.
  static void make_extreme(Columns& columns, std::size_t length) {
    for (std::size_t i = 0; i < columns.values.size(); ++i) {
      const std::size_t c = i / length;
      const bool negative = c % 3 == 0 ? false : c % 3 == 1 ? true : columns.values[i] < 0;
      columns.values[i] = negative ? -1.0F : 1.0F;
    }
  }

  /// So small that sums of products become subnormal, and now and then a block all zeros.
  static void make_tiny(Columns& columns) {
    for (std::size_t i = 0; i < columns.values.size(); ++i) {
      columns.values[i] = i / 256 % 3 == 2 ? 0.0F : std::ldexp(columns.values[i], -96);
    }
  }

  const KernelTable table_ = make_kernel_table(GetParam().level);
};

/// All results of a column with something that is no number, and no others.
TEST_P(Matmul, WhatIsNoNumberStaysWithItsColumn) {
  const std::size_t length = 2 * std::max<std::size_t>(256, block());
  std::mt19937 random(31);
  const auto rows = test::random_rows(GetParam().type, 37, length, Blocks::usual, random);
  for (const float odd_one :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    Columns columns(5, length, random);
    const auto before = multiply(table(), GetParam().type, rows, 37, length, columns);
    columns.values[3 * length + 301] = odd_one;
    const auto after = multiply(table(), GetParam().type, rows, 37, length, columns);
    for (std::size_t i = 0; i < after.size(); ++i) {
      if (i / 37 == 3) {
        EXPECT_FALSE(std::isfinite(after[i])) << "row " << i % 37;
      } else {
        EXPECT_EQ(after[i], before[i]) << "column " << i / 37 << ", row " << i % 37;
      }
    }
  }
}

TEST_P(Matmul, AddsBiasesAndSums) {
  const std::size_t length = 2 * block();
  std::vector<int> counts = {1, 2, 3, 4, 6, 8, 11, 12};
  for (const int n : wide_counts()) counts.push_back(n);
  std::mt19937 random(7);
  std::normal_distribution<float> normal;
  const auto draw = [&](std::size_t n) {
    std::vector<float> values(n);
    for (float& v : values) v = normal(random);
    return values;
  };
  // Numbers of panels that several streams, or pairs, of them come out even with, or do not.
  for (const std::size_t n_rows : {std::size_t{16}, std::size_t{37}, std::size_t{133}}) {
    const auto rows = test::random_rows(GetParam().type, n_rows, length, Blocks::usual, random);
    for (const int n_columns : counts) {
      SCOPED_TRACE(testing::Message() << n_rows << " rows, " << n_columns << " columns");
      const Columns columns(n_columns, length, random);
      const auto product = [&](const Added& added) {
        return multiply(table(), GetParam().type, rows, n_rows, length, columns, 1, added);
      };
      const auto plain = product({});
      const auto bias = draw(n_rows), sums = draw(plain.size());
      std::vector<float> with_bias = plain, with_sums = sums, with_both = sums;
      for (std::size_t i = 0; i < plain.size(); ++i) {
        with_bias[i] += bias[i % n_rows];
        with_sums[i] += plain[i];
        with_both[i] += with_bias[i];
      }
      EXPECT_EQ(product({.bias = bias}), with_bias);
      EXPECT_EQ(product({.sums = sums}), with_sums);
      EXPECT_EQ(product({.bias = bias, .sums = sums}), with_both);
    }
  }
}

TEST_P(Matmul, EqualsTheStatementAtEveryWidth) {
  for (int n_columns = 1; n_columns <= kStripColumns; ++n_columns) {
    equals_statement(33, 3 * block(), n_columns);
  }
}

TEST_P(Matmul, EqualsTheStatementForEveryCountOfRows) {
  for (std::size_t n_rows : {1, 2, 7, 8, 15, 16, 17, 31, 32, 48, 63, 64, 65, 79, 100}) {
    equals_statement(n_rows, block(), 1);
    equals_statement(n_rows, block(), 3);
    equals_statement(n_rows, block(), 12);
  }
}

TEST_P(Matmul, EqualsTheStatementOfLongRows) {
  for (std::size_t n_blocks : {1, 2, 5, 16}) equals_statement(17, n_blocks * block(), 5);
}

TEST_P(Matmul, EqualsTheStatementForAnyShape) {
  std::mt19937 random(20260719);
  for (int i = 0; i < 40; ++i) {
    const std::size_t n_rows = 1 + random() % 80;
    const std::size_t length = (1 + random() % 6) * block();
    equals_statement(n_rows, length, 1 + static_cast<int>(random() % kStripColumns));
  }
}

TEST_P(Matmul, EqualsTheStatementWhereverTheOutputStands) {
  for (std::size_t misaligned = 0; misaligned < 16; ++misaligned) {
    equals_statement(19, block(), 2, Blocks::usual, misaligned);
  }
}

TEST_P(Matmul, EqualsTheStatementWithExtremeIntegers) {
  for (int n_columns : {1, 2, 4, 6, 8, 12}) {
    equals_statement(16, 2 * block(), n_columns, Blocks::extreme);
  }
}

TEST_P(Matmul, EqualsTheStatementWithSubnormalScales) {
  for (int n_columns : {1, 12}) equals_statement(20, 4 * block(), n_columns, Blocks::subnormal);
}

TEST_P(Matmul, RowsOfZerosGiveZero) {
  for (int n_columns : {1, 6}) equals_statement(9, 2 * block(), n_columns, Blocks::zero);
}

TEST_P(Matmul, EqualsTheStatementWithManyColumns) {
  for (const int n_columns : wide_counts()) {
    for (const std::size_t n_rows : {1, 16, 33, 64, 65}) {
      equals_statement(n_rows, 3 * block(), n_columns);
    }
  }
  for (const int n_columns : wide_counts()) {
    for (std::size_t n_blocks = 1; n_blocks <= 9; ++n_blocks) {
      equals_statement(17, n_blocks * block(), n_columns);
    }
    for (const Blocks blocks : {Blocks::extreme, Blocks::subnormal, Blocks::zero}) {
      equals_statement(16, 2 * block(), n_columns, blocks);
    }
  }
}

std::string case_name(const testing::TestParamInfo<Case>& c) {
  return std::string(c.param.level->name) + "_" + std::string(quant_type_info(c.param.type).name);
}

INSTANTIATE_TEST_SUITE_P(Levels, Matmul, testing::ValuesIn(cases()), case_name);

}  // namespace
}  // namespace hearth::kernels
