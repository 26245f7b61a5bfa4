// Products and rows of every weight type on the device, against the reference: full tiles and
// ragged edges, more rows than a dispatch has workgroups along x, matrices cut into slices, other
// workgroup sizes, the way through the staging buffer.
#include <gtest/gtest.h>

#include <ostream>

#include "base/error.h"
#include "tests/vulkan/vulkan_test.h"

namespace hearth::test {
namespace {

/// Float sums in another order: far below what the format loses.
constexpr double kExact = 1e-11;

std::string type_name(QuantType type) {
  return std::string(quant_type_info(type).name);
}

void expect_product(VulkanDevice& device, QuantType type, int rows, int columns, int n,
                    std::mt19937& random) {
  ReferenceDevice truth;
  const TwinMatrix w(device, truth, type, rows, columns, random);
  Twin x(device, truth, n, columns);
  const Twin out(device, truth, n, rows);
  x.fill(random);
  device.matmul(out.tested(), *w.tested, x.tested());
  truth.matmul(out.truth(), *w.truth, x.truth());
  out.expect_equal(kExact, type_name(type) + " [" + std::to_string(rows) + "][" +
                               std::to_string(columns) + "] x " + std::to_string(n));
}

/// Columns that a row of the type may have: not a multiple of 32 where it may be anything.
int ragged_columns(QuantType type) {
  const auto block = static_cast<int>(quant_type_info(type).block_elements);
  return block == 1 ? 77 : 3 * block;
}

class EveryType : public VulkanTest, public testing::WithParamInterface<QuantType> {};

TEST_P(EveryType, MultipliesFewColumnsAndMany) {
  std::mt19937 random(7);
  for (const int n : {1, 3, 41})
    expect_product(shared_test_device(), GetParam(), 37, ragged_columns(GetParam()), n, random);
}

TEST_P(EveryType, MultipliesWholeTiles) {
  std::mt19937 random(8);
  expect_product(shared_test_device(), GetParam(), 64, 256, 32, random);
}

/// 32 lanes come with the tiles of a GPU: several rows to a workgroup, larger squares.
TEST_P(EveryType, MultipliesInTheTilesOfAGpu) {
  std::mt19937 random(17);
  for (const int n : {1, 70})
    expect_product(shared_test_device(32), GetParam(), 131, 256, n, random);
}

TEST_P(EveryType, GivesRows) {
  std::mt19937 random(9);
  VulkanDevice& device = shared_test_device();
  ReferenceDevice truth;
  const int columns = ragged_columns(GetParam());
  const TwinMatrix table(device, truth, GetParam(), 19, columns, random);
  const Twin out(device, truth, 5, columns);
  const std::vector<std::int32_t> ids = {3, 18, 0, 3, 7};
  device.get_rows(out.tested(), *table.tested, ids);
  truth.get_rows(out.truth(), *table.truth, ids);
  out.expect_equal(1e-14, type_name(GetParam()));
}

TEST_P(EveryType, IsCutIntoSlices) {
  std::mt19937 random(10);
  static const std::unique_ptr<VulkanDevice> kNarrow =
      open_test_device({.staging_bytes = 1 << 16, .max_binding = 1 << 14, .always_stage = true});
  const int columns = ragged_columns(GetParam());
  expect_product(*kNarrow, GetParam(), 150, columns, 1, random);
  ReferenceDevice truth;
  const TwinMatrix table(*kNarrow, truth, GetParam(), 150, columns, random);
  const Twin out(*kNarrow, truth, 3, columns);
  const std::vector<std::int32_t> ids = {149, 0, 75};
  kNarrow->get_rows(out.tested(), *table.tested, ids);
  truth.get_rows(out.truth(), *table.truth, ids);
  out.expect_equal(1e-14, type_name(GetParam()));
}

INSTANTIATE_TEST_SUITE_P(Types, EveryType, testing::ValuesIn(weight_types()),
                         [](const auto& each) { return type_name(each.param); });

class MatrixVerbs : public VulkanTest {};

TEST_F(MatrixVerbs, TakeEveryCountOfColumns) {
  std::mt19937 random(11);
  for (int n = 1; n <= 10; ++n)
    expect_product(shared_test_device(), QuantType::Q4_K, 33, 512, n, random);
}

TEST_F(MatrixVerbs, OfATypeWithoutALayoutAreRefused) {
  const std::vector<std::byte> data(64);
  EXPECT_THROW(shared_test_device().load(
                   {.name = "w", .type = QuantType::I8, .rows = 1, .columns = 64, .data = data}),
               Error);
}

TEST_F(MatrixVerbs, HaveMoreRowsThanWorkgroupsAlongX) {
  std::mt19937 random(12);
  expect_product(shared_test_device(), QuantType::Q8_0, 65536 + 37, 32, 1, random);
}

TEST_F(MatrixVerbs, DoNotDependOnTheWorkgroup) {
  for (const int lanes : {16, 32, 128}) {
    std::mt19937 random(13);
    const auto device = open_test_device({.staging_bytes = 1 << 16, .workgroup = lanes});
    for (const QuantType type : {QuantType::F32, QuantType::Q6_K}) {
      for (const int n : {1, 2, 70}) expect_product(*device, type, 131, 256, n, random);
    }
    expect_product(*device, QuantType::F16, 5, 77, 1, random);
  }
}

/// Rows of x that begin at multiples of four floats are read as vectors.
TEST_F(MatrixVerbs, TakeAlignedInput) {
  std::mt19937 random(16);
  VulkanDevice& device = shared_test_device();
  ReferenceDevice truth;
  for (const QuantType type : {QuantType::F32, QuantType::Q4_K, QuantType::Q8_0}) {
    for (const int n : {1, 3}) {
      const TwinMatrix w(device, truth, type, 21, 256, random);
      Twin wide(device, truth, n, 1 + 256, 3);  // from a multiple of four, less one
      wide.fill(random);
      const Twin out(device, truth, n, 21);
      device.matmul(out.tested(), *w.tested, wide.tested().column_range(1, 256, "x"));
      truth.matmul(out.truth(), *w.truth, wide.truth().column_range(1, 256, "x"));
      out.expect_equal(kExact, type_name(type));
    }
  }
}

TEST_F(MatrixVerbs, ShareTheirInput) {
  std::mt19937 random(14);
  VulkanDevice& device = shared_test_device();
  ReferenceDevice truth;
  const TwinMatrix a(device, truth, QuantType::Q4_0, 40, 64, random);
  const TwinMatrix b(device, truth, QuantType::F16, 24, 64, random);
  Twin x(device, truth, 2, 64);
  const Twin out_a(device, truth, 2, 40);
  const Twin out_b(device, truth, 2, 24);
  x.fill(random);
  const Device::Product tested[] = {{out_a.tested(), a.tested.get()},
                                    {out_b.tested(), b.tested.get()}};
  const Device::Product expected[] = {{out_a.truth(), a.truth.get()},
                                      {out_b.truth(), b.truth.get()}};
  device.matmuls(tested, x.tested());
  truth.matmuls(expected, x.truth());
  out_a.expect_equal(kExact, "the first");
  out_b.expect_equal(kExact, "the second");
}

/// Three experts of four, for inputs per token and per choice, in a stack that is cut within an
/// expert.
TEST_F(MatrixVerbs, ChooseExperts) {
  for (const std::uint64_t max_binding : {std::uint64_t{0}, std::uint64_t{1} << 14}) {
    std::mt19937 random(15);
    const int lanes = max_binding == 0 ? 0 : 32;
    const auto device = open_test_device(
        {.staging_bytes = 1 << 16, .max_binding = max_binding, .workgroup = lanes});
    ReferenceDevice truth;
    const int n_tokens = 3;
    const int n_used = 3;
    const TwinMatrix w(*device, truth, QuantType::Q5_K, 4 * 21, 256, random, 4);
    Twin chosen(*device, truth, n_tokens, n_used);
    chosen.set({3, 0, 1, 2, 1, 0, 0, 3, 2});
    for (const int rows : {n_tokens, n_tokens * n_used}) {
      Twin x(*device, truth, rows, 256);
      const Twin out(*device, truth, n_tokens * n_used, 21);
      x.fill(random);
      device->expert_matmul(out.tested(), *w.tested, x.tested(), chosen.tested());
      truth.expert_matmul(out.truth(), *w.truth, x.truth(), chosen.truth());
      out.expect_equal(kExact, std::to_string(rows) + " inputs");
    }
  }
}

}  // namespace
}  // namespace hearth::test
