// Every shader that reads weights or keys and values, for every type of them, every set of tiers and
// every size of a workgroup, against the reference: full tiles and ragged edges, slices, guards
// after every output.
//
// Software devices compile a shader for a second or so, and all of them for minutes: what always runs
// are the pairs, every type with every size of a workgroup, every type with every set of tiers, and
// every set with every size. With HEARTH_TEST_VULKAN_ALL=1 it is all three together.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "engine/device/vulkan/gpu.h"
#include "tests/vulkan/products.h"
#include "tests/vulkan/vulkan_test.h"

namespace hearth::test {
namespace {

constexpr int kLanes[] = {8, 32, 64, 128, 256};
constexpr const char* kTierSets[] = {"none", "subgroup", "dot", "subgroup,dot"};

struct Row {
  std::size_t lanes;
  std::size_t tiers;
};

std::vector<Variant> variants() {
  std::vector<Variant> all;
  for (const char* tiers : kTierSets) {
    for (const int lanes : kLanes) all.emplace_back(lanes, tiers);
  }
  return all;
}

bool wants_all() {
  const char* value = std::getenv("HEARTH_TEST_VULKAN_ALL");
  return value && *value && std::string(value) != "0";
}

/// The largest workgroup that the device runs.
int most_lanes() {
  const VulkanDeviceInfo& info = shared_test_device().info();
  const auto instance = vulkan::Instance::shared();
  VkPhysicalDeviceProperties properties{};
  instance->api().GetPhysicalDeviceProperties(
      instance->devices()[static_cast<std::size_t>(info.index)].handle, &properties);
  return static_cast<int>(std::min(properties.limits.maxComputeWorkGroupInvocations,
                                   properties.limits.maxComputeWorkGroupSize[0]));
}

class Sweep : public VulkanTest, public testing::WithParamInterface<Variant> {
 protected:
  void SetUp() override {
    VulkanTest::SetUp();
    if (IsSkipped()) return;
    if (GetParam().lanes > most_lanes())
      GTEST_SKIP() << "workgroups of this device have at most " << most_lanes() << " lanes";
    skip_without(GetParam());
  }

  VulkanDevice& device() { return shared_test_device(GetParam()); }

  std::size_t lanes_number() const {
    const auto* found = std::find(std::begin(kLanes), std::end(kLanes), GetParam().lanes);
    return static_cast<std::size_t>(found - std::begin(kLanes));
  }

  std::size_t tiers_number() const {
    const auto* found = std::find(std::begin(kTierSets), std::end(kTierSets), GetParam().tiers);
    return static_cast<std::size_t>(found - std::begin(kTierSets));
  }

  /// The types that this variant is tested with.
  std::vector<QuantType> types() const {
    const std::vector<QuantType> all = weight_types();
    std::vector<QuantType> chosen;
    for (std::size_t i = 0; i < all.size(); ++i) {
      const bool is_paired = (i + lanes_number()) % std::size(kTierSets) == tiers_number();
      if (is_paired || wants_all()) chosen.push_back(all[i]);
    }
    return chosen;
  }
};

TEST_P(Sweep, ProductsWithFewRows) {
  for (const QuantType type : types()) {
    expect_product(device(), type, {64, kWholeColumns, 1, true});
    expect_product(device(), type, {37, ragged_columns(type), 3});
  }
}

TEST_P(Sweep, ProductsWithManyRows) {
  for (const QuantType type : types()) {
    expect_product(device(), type, {128, kWholeColumns, 64});
    expect_product(device(), type, {131, ragged_columns(type), 41});
  }
}

TEST_P(Sweep, ChosenExperts) {
  for (const QuantType type : types()) expect_experts(device(), type, 21, ragged_columns(type));
}

TEST_P(Sweep, Rows) {
  for (const QuantType type : types()) expect_rows(device(), type, ragged_columns(type));
}

INSTANTIATE_TEST_SUITE_P(Variants, Sweep, testing::ValuesIn(variants()),
                         [](const auto& each) { return each.param.name(); });

TEST(SweepOfPairs, HasEveryPair) {
  std::size_t n_pairs = 0;
  for (std::size_t type = 0; type < weight_types().size(); ++type) {
    std::vector<bool> tiers(std::size(kTierSets));
    for (std::size_t lanes = 0; lanes < std::size(kLanes); ++lanes)
      tiers[(type + lanes) % tiers.size()] = true;
    n_pairs += static_cast<std::size_t>(std::count(tiers.begin(), tiers.end(), true));
  }
  EXPECT_EQ(n_pairs, weight_types().size() * std::size(kTierSets));
}

}  // namespace
}  // namespace hearth::test
