// The verbs that read weights, beside what test_sweep.cpp has of them: every count of rows, inputs
// that products share, what is refused.
#include <gtest/gtest.h>

#include "base/error.h"
#include "tests/vulkan/products.h"
#include "tests/vulkan/vulkan_test.h"

namespace hearth::test {
namespace {

class MatrixVerbs : public VulkanTest {};

TEST_F(MatrixVerbs, TakeEveryCountOfColumns) {
  for (int n = 1; n <= 10; ++n) expect_product(shared_test_device(), QuantType::Q4_K, {33, 512, n});
}

TEST_F(MatrixVerbs, OfATypeWithoutALayoutAreRefused) {
  const std::vector<std::byte> data(64);
  EXPECT_THROW(shared_test_device().load(
                   {.name = "w", .type = QuantType::I8, .rows = 1, .columns = 64, .data = data}),
               Error);
}

/// Rows of x that begin at multiples of four floats are read as vectors.
TEST_F(MatrixVerbs, TakeAlignedInput) {
  for (const QuantType type : {QuantType::F32, QuantType::Q4_K, QuantType::Q8_0}) {
    for (const int n : {1, 3})
      expect_product(shared_test_device(), type, {21, kWholeColumns, n, true});
  }
}

/// Rows as long as those of large models: software devices end loops after so many rounds.
TEST_F(MatrixVerbs, TakeLongRows) {
  for (const char* tiers : {"none", "dot"}) {
    for (const int n : {1, 9}) {
      expect_product(shared_test_device({8, tiers}), QuantType::Q4_0, {9, 32768, n}, 1e-10);
      expect_product(shared_test_device({8, tiers}), QuantType::Q6_K, {9, 32768, n}, 1e-10);
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
  out_a.expect_equal(kExactProduct, "the first");
  out_b.expect_equal(kExactProduct, "the second");
}

/// A stack that is cut within an expert.
TEST_F(MatrixVerbs, ChooseExpertsOfAStackThatIsCut) {
  const auto device =
      open_test_device({.staging_bytes = 1 << 16, .max_binding = 1 << 14, .workgroup = 32});
  expect_experts(*device, QuantType::Q5_K, 21, kWholeColumns);
}

}  // namespace
}  // namespace hearth::test
