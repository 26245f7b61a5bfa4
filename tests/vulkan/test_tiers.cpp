// Optional shaders: which are used, and what is said of those that are not. That they do what the
// base does is tested with the verbs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "base/error.h"
#include "engine/device/vulkan/tiers.h"
#include "engine/runtime/builtin_model.h"
#include "engine/runtime/split_load.h"
#include "tests/vulkan/products.h"
#include "tests/vulkan/vulkan_test.h"

namespace hearth::test {
namespace {

using testing::HasSubstr;

const VulkanTier& tier_of(const VulkanDevice& device, const std::string& name) {
  for (const VulkanTier& tier : device.tiers()) {
    if (tier.name == name) return tier;
  }
  throw Error("no tier " + name);
}

/// Whether the driver says that it has what the tier needs.
bool claims(const VulkanDevice& device, const std::string& name) {
  return tier_of(device, name).why_off.find("the driver has no") == std::string::npos;
}

std::vector<std::string> all_tiers() {
  return {"subgroup", "dot", "matrix"};
}

class Tiers : public VulkanTest {};

/// Tiers that the driver does not have are missed when they are named, and nothing else happens.
TEST_F(Tiers, ThatTheDriverLacksAreMissedOnlyWhenNamed) {
  const VulkanTier& unnamed = tier_of(shared_test_device(), "matrix");
  EXPECT_FALSE(unnamed.is_unexpected);
  const auto device = open_test_device({.staging_bytes = 1 << 16, .tiers = "matrix"});
  const VulkanTier& named = tier_of(*device, "matrix");
  if (named.is_on) GTEST_SKIP() << "this driver has cooperative matrices";
  EXPECT_TRUE(named.is_unexpected);
  EXPECT_FALSE(named.why_off.empty());
}

TEST(TierNames, AreReadAsLists) {
  EXPECT_EQ(vulkan::parse_tiers("none").bits(), 0U);
  EXPECT_TRUE(vulkan::parse_tiers("subgroup").has(vulkan::Tier::subgroup));
  EXPECT_FALSE(vulkan::parse_tiers("subgroup").has(vulkan::Tier::dot));
  EXPECT_EQ(vulkan::parse_tiers("dot,subgroup").bits(), 3U);
  EXPECT_TRUE(vulkan::parse_tiers("subgroup,matrix").has(vulkan::Tier::matrix));
  for (const char* wrong : {"all", "", "subgroup,", "subgroup,none", "Subgroup"}) {
    try {
      vulkan::parse_tiers(wrong);
      ADD_FAILURE() << wrong;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("subgroup"));
    }
  }
}

TEST(TierShaders, ReplaceThoseOfTheBase) {
  const vulkan::TierSet none;
  const vulkan::TierSet subgroup = vulkan::parse_tiers("subgroup");
  EXPECT_EQ(vulkan::shader_for("norm", none), "norm");
  EXPECT_EQ(vulkan::shader_for("norm", subgroup), "norm_subgroup");
  EXPECT_EQ(vulkan::shader_for("rope", subgroup), "rope");
}

/// What a driver must have is all needed, and each lack has its own words.
TEST(TierClaims, AreAllNeeded) {
  using vulkan::Claims;
  using vulkan::missing_for;
  using vulkan::Tier;
  Claims all;
  EXPECT_NE(missing_for(Tier::subgroup, all), nullptr);
  EXPECT_NE(missing_for(Tier::dot, all), nullptr);
  EXPECT_NE(missing_for(Tier::matrix, all), nullptr);
  all = {.subgroup_sums = true,
         .dot = true,
         .matrices = true,
         .fragments = {.size = {8, 8, 8}, .lanes = 8},
         .room_for_matrices = true};
  EXPECT_EQ(missing_for(Tier::subgroup, all), nullptr);
  EXPECT_EQ(missing_for(Tier::dot, all), nullptr);
  EXPECT_EQ(missing_for(Tier::matrix, all), nullptr);
  std::vector<std::string> lines;
  const auto without = [&](auto lack) {
    Claims claims = all;
    lack(claims);
    ASSERT_NE(missing_for(Tier::matrix, claims), nullptr);
    lines.emplace_back(missing_for(Tier::matrix, claims));
  };
  without([](Claims& claims) { claims.matrices = false; });
  without([](Claims& claims) { claims.fragments.size = {}; });
  without([](Claims& claims) { claims.fragments.lanes = 0; });
  without([](Claims& claims) { claims.room_for_matrices = false; });
  EXPECT_EQ(std::set<std::string>(lines.begin(), lines.end()).size(), lines.size());
}

TEST_F(Tiers, AreOffWhereTheyGainNothing) {
  if (!shared_test_device().info().is_software) GTEST_SKIP() << "not a software device";
  VulkanOptions options{.device = wished_vulkan_device(), .use_cache = false};
  for (const VulkanTier& tier : vulkan_tiers(options)) {
    EXPECT_FALSE(tier.is_on) << tier.name;
    EXPECT_FALSE(tier.is_unexpected) << tier.name;
    EXPECT_FALSE(tier.why_off.empty()) << tier.name;
  }
}

TEST_F(Tiers, AreOffWhereTheyWereNotAskedFor) {
  for (const VulkanTier& tier : shared_test_device().tiers()) {
    EXPECT_FALSE(tier.is_on);
    EXPECT_THAT(tier.why_off, HasSubstr("asked for"));
  }
}

/// What a tier's shaders compute is spoilt: the device goes on without them and is right.
TEST_F(Tiers, OfALyingDriverAreOffAndItIsSaid) {
  for (const std::string& name : all_tiers()) {
    const auto device = open_test_device({.tiers = name, .lying_tier = name});
    if (!claims(*device, name)) continue;
    const VulkanTier& tier = tier_of(*device, name);
    EXPECT_FALSE(tier.is_on);
    EXPECT_TRUE(tier.is_unexpected);
    EXPECT_THAT(tier.why_off, HasSubstr("self-test failed"));
    EXPECT_THAT(tier.why_off, HasSubstr("NMSE"));
    ReferenceDevice truth;
    std::mt19937 random(5);
    const TwinMatrix w(*device, truth, QuantType::Q4_K, 11, 256, random);
    Twin x(*device, truth, 2, 256);
    const Twin out(*device, truth, 2, 11);
    x.fill(random);
    device->matmul(out.tested(), *w.tested, x.tested());
    truth.matmul(out.truth(), *w.truth, x.truth());
    out.expect_equal(1e-11, name);
  }
}

TEST_F(Tiers, ThatShouldBeThereAreMissedInALine) {
  const gguf::Reader file = gguf::Reader::from_bytes(builtin_model_bytes(), "built-in");
  std::vector<std::string> notes;
  LoadOptions options{.n_threads = 1, .n_ctx = 64};
  options.offload = {.layers = 1,
                     .gpu = {.device = wished_vulkan_device(),
                             .staging_bytes = 1 << 16,
                             .use_cache = false,
                             .tiers = "subgroup",
                             .lying_tier = "subgroup"}};
  options.note = [&](const std::string& text) { notes.push_back(text); };
  load_model(file, options);
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_THAT(notes[0], HasSubstr("tier subgroup"));
}

/// What the self-test takes is given back: plans are exact with tiers too.
TEST_F(Tiers, TakeNoMemory) {
  const auto without = open_test_device({.staging_bytes = 1 << 16});
  const auto with = open_test_device({.staging_bytes = 1 << 16, .tiers = "subgroup"});
  EXPECT_EQ(with->stats().allocated_bytes, without->stats().allocated_bytes);
}

/// More rows than there is room for as bytes at once, in products that share them.
TEST_F(Tiers, MakeBytesOfManyRowsInParts) {
  skip_without({0, "dot"});
  if (IsSkipped()) return;
  const auto narrow = open_test_device({.partial_bytes = std::uint64_t{4} << 20, .tiers = "dot"});
  VulkanDevice& device = *narrow;
  ReferenceDevice truth;
  std::mt19937 random(4);
  constexpr int kRows = 400;
  constexpr int kColumns = 8192;
  const TwinMatrix a(device, truth, QuantType::Q4_0, 2, kColumns, random);
  const TwinMatrix b(device, truth, QuantType::F16, 3, kColumns, random);
  Twin x(device, truth, kRows, kColumns);
  const Twin out_a(device, truth, kRows, 2);
  const Twin out_b(device, truth, kRows, 3);
  x.fill(random);
  const Device::Product tested[] = {{out_a.tested(), a.tested.get()},
                                    {out_b.tested(), b.tested.get()}};
  device.matmuls(tested, x.tested());
  truth.matmul(out_b.truth(), *b.truth, x.truth());
  truth.upload(x.truth(), by_way_of_bytes(x.truth_values(), kColumns));
  truth.matmul(out_a.truth(), *a.truth, x.truth());
  out_a.expect_equal(kExactProduct, "bytes");
  out_b.expect_equal(kExactProduct, "floats");
}

}  // namespace
}  // namespace hearth::test
