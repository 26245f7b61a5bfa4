// Prompts on cooperative matrices, where the driver has them (docs/vulkan.md says which does in
// software): products in every tile, whole ones and ragged edges, and attention, against the
// reference. What is chosen for a device is tested without one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/nmse.h"
#include "engine/device/vulkan/fragments.h"
#include "tests/vulkan/attention_case.h"
#include "tests/vulkan/validation.h"
#include "tests/vulkan/vulkan_test.h"

namespace hearth::test {
namespace {

using vulkan::Fragment;

/// A number in half precision is off by up to a 2048th part of it, the mean square of which is 3e-8
/// or less; a product has two factors, and its sum's errors are independent. Attention rounds
/// queries, keys, weights and values; an error of a score is one of its weight.
constexpr double kHalf = 2e-7;
constexpr double kAttention = 1e-6;

TEST(Fragments, AreTheBestThatTheDriverHas) {
  using vulkan::best_fragment;
  const std::vector<Fragment> nvidia = {{16, 16, 16}, {16, 8, 16}, {16, 8, 8}};
  EXPECT_EQ(best_fragment(nvidia), (Fragment{16, 16, 16}));
  EXPECT_EQ(best_fragment(std::vector<Fragment>{{8, 8, 16}, {8, 16, 16}}), (Fragment{8, 16, 16}));
  EXPECT_EQ(best_fragment(std::vector<Fragment>{{8, 8, 8}}), (Fragment{8, 8, 8}));
  EXPECT_EQ(best_fragment(std::vector<Fragment>{{32, 8, 16}}), Fragment{});
  EXPECT_EQ(best_fragment({}), Fragment{});
}

/// Whatever there is room for, in the memory that Vulkan promises and in that of large devices.
TEST(Fragments, TilesFitSharedMemoryAndKeepTheDeviceBusy) {
  using vulkan::matrix_tile;
  using vulkan::MatrixTile;
  for (const std::uint32_t bytes : {16384U, 32768U, 49152U, 65536U}) {
    for (const std::uint64_t n : {9, 64, 512}) {
      for (const std::uint64_t rows : {1, 512, 3584, 18944}) {
        const MatrixTile tile = matrix_tile(rows, n, bytes, 256);
        EXPECT_LE(tile.shared_bytes(), bytes);
        const bool is_least = tile.rows_w == 32;
        EXPECT_TRUE(is_least || tile.groups(rows, n) >= 256) << rows << " x " << n;
      }
    }
  }
  EXPECT_LE(vulkan::least_matrix_bytes(), 16384U);
  EXPECT_EQ(matrix_tile(18944, 512, 49152, 256).rows_w, 128U);
  EXPECT_EQ(matrix_tile(3584, 512, 49152, 256).rows_w, 64U);
  EXPECT_EQ(matrix_tile(3584, 512, 49152, 256).units, 2U);
  EXPECT_EQ(matrix_tile(3584, 512, 32768, 256).units, 1U);
}

TEST(Fragments, BlocksOfAttentionFitSharedMemory) {
  using vulkan::fragment_block;
  for (const Fragment size : {Fragment{16, 16, 16}, Fragment{8, 16, 16}, Fragment{8, 8, 8}}) {
    for (const std::uint32_t dim : {64U, 80U, 96U, 128U, 256U}) {
      const vulkan::FragmentBlock block = fragment_block(size, dim, dim, 49152);
      EXPECT_EQ(block.keys, 32U);
      EXPECT_EQ(block.subgroups * size.m, 64U);
      EXPECT_LE(block.shared_bytes(size, dim, dim), 49152U);
    }
    EXPECT_EQ(fragment_block(size, 256, 256, 32768).keys, 16U);
    EXPECT_EQ(fragment_block(size, 256, 256, 16384).keys, 0U) << "no room";
    EXPECT_EQ(fragment_block(size, 100, 128, 49152).keys, 0U) << "no whole fragments";
    EXPECT_EQ(fragment_block(size, 128, 24, 49152).keys, 0U) << "no whole fragments";
  }
}

/// On devices that are kept busy by few workgroups, so that a product of some tiles takes large
/// ones.
class MatrixTier : public VulkanTest {
 protected:
  void SetUp() override {
    VulkanTest::SetUp();
    if (IsSkipped()) return;
    for (const VulkanTier& tier : device().tiers()) {
      if (tier.name == "matrix" && !tier.is_on)
        GTEST_SKIP() << "the tier matrix is off: " << tier.why_off;
    }
  }

  static VulkanDevice& device(int busy_groups = 2) {
    static std::map<int, std::unique_ptr<VulkanDevice>> devices;
    std::unique_ptr<VulkanDevice>& found = devices[busy_groups];
    if (!found) {
      found = open_test_device(
          {.staging_bytes = 1 << 20, .tiers = "matrix", .busy_groups = busy_groups});
    }
    return *found;
  }

  void expect_product(VulkanDevice& tested, QuantType type, int rows, int columns, int n) {
    const TwinMatrix w(tested, truth_, type, rows, columns, random_);
    Twin x(tested, truth_, n, columns);
    const Twin out(tested, truth_, n, rows);
    x.fill(random_);
    tested.matmul(out.tested(), *w.tested, x.tested());
    truth_.matmul(out.truth(), *w.truth, x.truth());
    out.expect_equal(kHalf, std::string(quant_type_info(type).name) + " [" + std::to_string(rows) +
                                "][" + std::to_string(columns) + "] x " + std::to_string(n));
  }

  ReferenceDevice truth_;
  std::mt19937 random_{41};
};

/// Columns that a row of the type may have: not a multiple of 32 where it may be anything.
int ragged_columns(QuantType type) {
  const auto block = static_cast<int>(quant_type_info(type).block_elements);
  return block == 1 ? 301 : 3 * block;
}

TEST_F(MatrixTier, MultipliesAllTypes) {
  for (const QuantType type : weight_types())
    expect_product(device(), type, 50, ragged_columns(type), 41);
}

/// Whole tiles of each side, one more and one less of either rows, columns that end within a step.
TEST_F(MatrixTier, MultipliesInEveryTile) {
  for (const int busy : {1, 2, 1 << 20}) {
    for (const auto& [rows, n] : {std::pair{64, 128},
                                  {128, 64},
                                  {65, 63},
                                  {63, 65},
                                  {33, 31},
                                  {32, 9},
                                  {1, 64},
                                  {200, 150}}) {
      for (const int columns : {32, 96, 160, 256})
        expect_product(device(busy), QuantType::Q8_0, rows, columns, n);
    }
  }
}

/// Fragments go straight to a result whose columns begin at multiples of 16 bytes.
TEST_F(MatrixTier, StoresWholeTilesWhereTheyAreAligned) {
  for (const auto& [rows, n] : {std::pair{64, 64}, {128, 96}, {96, 70}}) {
    const TwinMatrix w(device(), truth_, QuantType::Q4_K, rows, 256, random_);
    Twin x(device(), truth_, n, 1 + 256, 3);  // from a multiple of four, less one
    Twin out(device(), truth_, n, 1 + rows, 3);
    x.fill(random_);
    out.fill(random_);
    device().matmul(out.tested().column_range(1, rows, "y"), *w.tested,
                    x.tested().column_range(1, 256, "x"));
    truth_.matmul(out.truth().column_range(1, rows, "y"), *w.truth,
                  x.truth().column_range(1, 256, "x"));
    out.expect_equal(kHalf, std::to_string(rows) + " x " + std::to_string(n));
  }
}

/// Slices begin at rows that are no multiples of four; rows of x are taken in parts.
TEST_F(MatrixTier, TakesSlicesAndParts) {
  const auto narrow = open_test_device({.staging_bytes = 1 << 16,
                                        .partial_bytes = 1 << 17,
                                        .tiers = "matrix",
                                        .max_binding = 1 << 18,
                                        .busy_groups = 2,
                                        .always_stage = true});
  expect_product(*narrow, QuantType::Q8_0, 900, 288, 60);
  expect_product(*narrow, QuantType::Q8_0, 300, 288, 150);
}

TEST_F(MatrixTier, ProductsShareTheirInput) {
  const TwinMatrix a(device(), truth_, QuantType::Q4_0, 40, 64, random_);
  const TwinMatrix b(device(), truth_, QuantType::F16, 24, 64, random_);
  Twin x(device(), truth_, 20, 64);
  const Twin out_a(device(), truth_, 20, 40);
  const Twin out_b(device(), truth_, 20, 24);
  x.fill(random_);
  const Device::Product tested[] = {{out_a.tested(), a.tested.get()},
                                    {out_b.tested(), b.tested.get()}};
  const Device::Product expected[] = {{out_a.truth(), a.truth.get()},
                                      {out_b.truth(), b.truth.get()}};
  device().matmuls(tested, x.tested());
  truth_.matmuls(expected, x.truth());
  out_a.expect_equal(kHalf, "the first");
  out_b.expect_equal(kHalf, "the second");
}

/// What half precision has no number for: x is cut to its largest, and what is not a number stays
/// so.
TEST_F(MatrixTier, CutsLargeNumbers) {
  std::vector<float> ones(64 * 64);
  for (std::size_t i = 0; i < 64; ++i) ones[i * 64 + i] = 1.0F;
  const auto w = device().load({.name = "w",
                                .type = QuantType::F32,
                                .rows = 64,
                                .columns = 64,
                                .data = std::as_bytes(std::span(ones))});
  Twin x(device(), truth_, 9, 64);
  const Twin out(device(), truth_, 9, 64);
  x.fill(random_);
  std::vector<float> values = x.truth_values();
  values[5] = 1e6F;
  values[6] = -1e30F;
  values[7] = 65504.0F;
  values[64 + 3] = std::nanf("");
  x.set(values);
  device().matmul(out.tested(), *w, x.tested());
  const std::vector<float> got = out.tested_values();
  EXPECT_EQ(got[5], 65504.0F);
  EXPECT_EQ(got[6], -65504.0F);
  EXPECT_EQ(got[7], 65504.0F);
  EXPECT_TRUE(std::isnan(got[64]));
  EXPECT_FALSE(std::isnan(got[0])) << "of another row";
}

/// The program with this tier alone, under the validation layer: it has to be right and silent.
TEST_F(MatrixTier, ServesTheProgram) {
  if (kIsSanitized) GTEST_SKIP() << "under sanitizers the program ends for what the layer does";
  std::vector<std::string> command = kValidated;
  for (const std::string& word :
       {std::string("HEARTH_VULKAN_TIERS=matrix"), std::string(HEARTH_PROGRAM),
        std::string("verify"), std::string("--device"), wished_vulkan_device()})
    command.push_back(word);
  const ProgramResult result = run_program(command);
  EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
  EXPECT_THAT(result.err, testing::Not(testing::HasSubstr("tier matrix")));
  const std::string why_not = why_not_validated(result);
  if (!why_not.empty()) GTEST_SKIP() << why_not;
  expect_no_complaint(result);
}

class MatrixAttention : public MatrixTier, public testing::WithParamInterface<AttentionCase> {};

/// Keys that grow are none that bytes hold exactly: off by their rounding, as on the base shaders.
TEST_P(MatrixAttention, AgreesWithTheReference) {
  const AttentionCase& c = GetParam();
  // Software drivers take seconds to compile large heads: these come with the usual type only.
  const std::vector<QuantType> all = {QuantType::F32, QuantType::F16, QuantType::Q8_0};
  for (const QuantType type : c.dim_k > 64 ? std::vector{QuantType::F16} : all)
    expect_attention(device(), c, type, type == QuantType::Q8_0 ? 1e-4 : kAttention);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, MatrixAttention,
    testing::Values(
        AttentionCase{"prompt", 4, 2, 64, 64, {{0, 0, 150}}},
        AttentionCase{"more_of_a_prompt", 4, 1, 128, 128, {{1, 130, 70}}},
        AttentionCase{"other_values", 4, 2, 96, 32, {{0, 45, 21}}},
        AttentionCase{"heads_of_80", 2, 2, 80, 80, {{0, 10, 33}}},
        AttentionCase{"large_heads", 2, 1, 256, 256, {{2, 20, 40}}},
        AttentionCase{"sequences", 4, 2, 32, 64, {{0, 40, 1}, {1, 3, 11}, {2, 100, 66}}},
        AttentionCase{"window", 4, 2, 64, 64, {{0, 31, 140}, {1, 90, 12}}, 20},
        AttentionCase{"softcap", 4, 2, 64, 64, {{0, 40, 12}, {1, 0, 70}}, 0, 2.0F},
        AttentionCase{"alibi_of_six_heads", 6, 6, 32, 32, {{0, 40, 70}}, 0, 0.0F, 8.0F},
        AttentionCase{"both_ways", 4, 4, 64, 64, {{0, 0, 77}}, 0, 0.0F, 0.0F, false},
        AttentionCase{
            "growing_scores", 2, 1, 64, 64, {{0, 0, 200}}, 0, 0.0F, 0.0F, true, 300, 0.02F},
        AttentionCase{
            "falling_scores", 2, 1, 64, 64, {{0, 0, 200}}, 0, 0.0F, 0.0F, true, 300, -0.0049F}),
    [](const auto& each) { return each.param.name; });

}  // namespace
}  // namespace hearth::test
