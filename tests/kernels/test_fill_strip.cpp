// Strips of every level against the statement in kernels/scalar/quantize_strip.cpp, byte for byte.
#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "kernels/dispatch.h"
#include "tests/kernels/aligned_bytes.h"

namespace hearth::kernels {
namespace {

using test::AlignedBytes;

constexpr int kGuard = 0xa5;
constexpr std::size_t kGuards = 64;

struct Case {
  const IsaLevel* level;
  StripKind kind;
};

constexpr const char* kKindNames[kStripKinds] = {"f32", "bf16", "q8_32", "q8_128", "q8_128_wide"};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.level->name << " " << kKindNames[static_cast<int>(c.kind)];
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const IsaLevel& level : all_isa_levels()) {
    for (int kind = 0; kind < kStripKinds; ++kind) {
      if (level.is_supported()) all.push_back({&level, static_cast<StripKind>(kind)});
    }
  }
  return all;
}

/// Everything that filling writes, with guards behind it. What lies between the parts of a strip
/// is a guard too.
std::vector<std::byte> filled(const KernelTable& table, StripKind kind, int n_columns,
                              std::size_t length, const float* const* columns) {
  const std::size_t bytes = strip_bytes(kind, n_columns, length);
  AlignedBytes memory(bytes + kGuards);
  std::memset(memory.data(), kGuard, bytes + kGuards);
  table.fill_strip[kind](make_strip(kind, n_columns, length, memory.data()), columns);
  return {memory.data(), memory.data() + bytes + kGuards};
}

class FillStripTest : public testing::TestWithParam<Case> {
 protected:
  /// values: of all columns, [n_columns][length].
  void equals_statement(int n_columns, std::size_t length, const std::vector<float>& values) {
    SCOPED_TRACE(testing::Message() << n_columns << " columns of " << length);
    std::vector<const float*> columns;
    for (int c = 0; c < n_columns; ++c) {
      columns.push_back(values.data() + static_cast<std::size_t>(c) * length);
    }
    const StripKind kind = GetParam().kind;
    const KernelTable table = make_kernel_table(GetParam().level);
    const auto got = filled(table, kind, n_columns, length, columns.data());
    const auto want = filled(scalar_kernels(), kind, n_columns, length, columns.data());
    for (std::size_t i = 0; i < want.size(); ++i) {
      ASSERT_EQ(got[i], want[i]) << "byte " << i << " of " << want.size();
    }
  }

  std::size_t unit() const {
    constexpr std::size_t kUnits[kStripKinds] = {1, 1, 32, 256, 256};
    return kUnits[static_cast<int>(GetParam().kind)];
  }
};

std::vector<float> normal_values(std::size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(n);
  for (float& v : values) v = normal(random);
  return values;
}

TEST_P(FillStripTest, EqualsTheStatementAtEveryWidth) {
  for (int n = 1; n <= kStripColumns; ++n) {
    const std::size_t length = 3 * unit();
    equals_statement(n, length, normal_values(static_cast<std::size_t>(n) * length, 5));
  }
}

TEST_P(FillStripTest, EqualsTheStatementAtEveryLength) {
  for (std::size_t blocks = 1; blocks <= 20; ++blocks) {
    for (int n : {1, 5}) {
      const std::size_t length = blocks * unit();
      equals_statement(n, length, normal_values(static_cast<std::size_t>(n) * length, 6));
    }
  }
  for (std::size_t length : {511U, 512U, 513U, 4097U, 5000U}) {
    if (length % unit() == 0) equals_statement(3, length, normal_values(3 * length, 7));
  }
}

TEST_P(FillStripTest, EqualsTheStatementForExtremeValues) {
  constexpr float kValues[] = {0.0F,     -0.0F,     1.0F,     -1.0F,          0x1p-149F, -0x1p-126F,
                               0x1p-99F, 0x1p-101F, 3.4e38F,  -3.4028235e38F, 0.5F,      126.5F,
                               127.0F,   -127.5F,   0x1p120F, 1.00390625F};
  std::mt19937 random(8);
  const std::size_t length = 8 * 256;
  for (int n : {1, 4, 7}) {
    std::vector<float> values(static_cast<std::size_t>(n) * length);
    for (std::size_t i = 0; i < values.size(); ++i) {
      // A stretch of one size each, so that every value is the largest of some block.
      const unsigned kinds = 1 + static_cast<unsigned>(i / 256 % 16);
      values[i] = kValues[random() % kinds];
    }
    equals_statement(n, length, values);
  }
}

TEST_P(FillStripTest, KeepsWhatIsNoNumber) {
  const std::size_t length = 50 * unit();
  std::vector<float> values = normal_values(2 * length, 9);
  for (std::size_t i = 0; i < values.size(); i += 3) {
    values[i] = std::numeric_limits<float>::infinity() * (i % 2 == 0 ? 1.0F : -1.0F);
    values[i / 3] = std::numeric_limits<float>::signaling_NaN();
  }
  equals_statement(2, length, values);
}

/// At each place of a block in turn, between numbers of any size.
TEST_P(FillStripTest, FindsOneThatIsNoNumberAmongOthers) {
  const std::size_t length = 256;
  for (const float others : {0.0F, 0x1p-110F, 1.0F, 3e38F}) {
    for (const float odd_one :
         {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::quiet_NaN(),
          std::numeric_limits<float>::infinity()}) {
      for (std::size_t place = 0; place < length; ++place) {
        std::vector<float> values(length, others);
        values[place] = odd_one;
        equals_statement(1, length, values);
      }
    }
  }
}

/// Halfway between two integers after scaling: ties go to the even one.
TEST_P(FillStripTest, RoundsTiesAsTheStatementDoes) {
  const std::size_t length = 512;
  std::vector<float> values(length);
  for (std::size_t i = 0; i < length; ++i) {
    values[i] = i % 32 == 0 ? 127.0F : static_cast<float>(i % 253) - 126.5F;
  }
  equals_statement(1, length, values);
}

std::string case_name(const testing::TestParamInfo<Case>& c) {
  return std::string(c.param.level->name) + "_" + kKindNames[static_cast<int>(c.param.kind)];
}

INSTANTIATE_TEST_SUITE_P(Levels, FillStripTest, testing::ValuesIn(cases()), case_name);

}  // namespace
}  // namespace hearth::kernels
