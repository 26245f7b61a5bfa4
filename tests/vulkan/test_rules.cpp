// What a device of invented limits would take: no device is needed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "base/error.h"
#include "engine/device/vulkan/vulkan.h"

namespace hearth {
namespace {

/// Blocks are taken apart, and no byte is added but what fills a row up to 16 and a piece up to
/// 256.
TEST(VulkanRules, KeepTheFilesBytes) {
  VulkanDeviceInfo info;
  info.max_binding = 1U << 27;
  const auto rules = vulkan_memory_rules(info);
  for (const QuantTypeInfo& type : all_quant_types()) {
    if (!type.is_weight) continue;
    const std::uint64_t in_file = 64 * row_bytes(type, 4096);
    EXPECT_EQ(rules->matrix({.type = type.type, .rows = 64, .columns = 4096}),
              std::vector<std::uint64_t>{in_file})
        << type.name;
  }
}

TEST(VulkanRules, CutWhatAShaderCannotSeeAtOnce) {
  VulkanDeviceInfo info;
  info.max_binding = 1U << 27;
  const auto rules = vulkan_memory_rules(info);
  const std::vector<std::uint64_t> pieces =
      rules->matrix({.type = QuantType::Q6_K, .rows = 152064, .columns = 3584});
  EXPECT_EQ(pieces.size(), 4U);  // 447 MB
  const std::uint64_t all = std::accumulate(pieces.begin(), pieces.end(), std::uint64_t{0});
  const std::uint64_t padding =
      152064 * 2 * 16;  // at most, in a row's two planes that are no multiple of 16
  const std::uint64_t in_file = 152064 * row_bytes(quant_type_info(QuantType::Q6_K), 3584);
  EXPECT_GE(all, in_file);
  EXPECT_LE(all, in_file + padding);
  for (const std::uint64_t bytes : pieces) EXPECT_LE(bytes, info.max_binding);
}

TEST(VulkanRules, PiecesShareAllocationsUpToTheLimit) {
  VulkanDeviceInfo info;
  info.max_binding = 1U << 20;
  const auto rules = vulkan_memory_rules(info, {.max_slab = 1000});
  const std::vector<std::uint64_t> pieces = {100, 400, 600, 2000, 1};
  // [256 + 512], [768], [2048], [256]: a piece is never cut
  EXPECT_EQ(rules->allocated(pieces), 256 + 512 + 768 + 2048 + 256U);
}

/// 64 elements of a head are 64 bytes and two halves in Q8_0; 96 end with half a word unused.
TEST(VulkanRules, KeysAndValuesTakeWhatTheirTypeSays) {
  VulkanDeviceInfo info;
  info.max_binding = 1U << 27;
  const auto rules = vulkan_memory_rules(info);
  const auto bytes = [&](QuantType type) {
    return rules->kv_cache(
        {.n_ctx = 10, .n_slots = 2, .type = type, .layers = {{3 * 64, 3 * 96, 3}, {}}});
  };
  const std::uint64_t rows = 10 * 2 * 3;
  EXPECT_EQ(bytes(QuantType::F32), (std::vector<std::uint64_t>{rows * 256, rows * 384}));
  EXPECT_EQ(bytes(QuantType::F16), (std::vector<std::uint64_t>{rows * 128, rows * 192}));
  EXPECT_EQ(bytes(QuantType::Q8_0), (std::vector<std::uint64_t>{rows * 68, rows * (96 + 8)}));
  EXPECT_THROW(bytes(QuantType::Q4_0), Error);
}

// --- Which device a wish means ---

VulkanDeviceInfo device(int index, const char* name, const char* uuid, const char* kind) {
  VulkanDeviceInfo info;
  info.index = index;
  info.name = name;
  info.uuid = uuid;
  info.kind = kind;
  info.is_software = info.kind == "software";
  return info;
}

VulkanListing three_devices() {
  VulkanListing listing;
  listing.devices = {device(0, "Old Card 5", "0a", "discrete"),
                     device(1, "Shared Graphics 7", "0b", "integrated"),
                     device(2, "Soft Renderer", "0c", "software")};
  listing.devices[0].unusable = "too old";
  return listing;
}

TEST(ChoosingADevice, IsByIndexUuidOrAPartOfTheName) {
  const VulkanListing listing = three_devices();
  for (const char* wish : {"1", "0b", "0B", "shared", "GRAPHICS 7"})
    EXPECT_EQ(choose_vulkan_device(listing, wish).index, 1) << wish;
  for (const char* wish : {"2", "0c", "soft"})
    EXPECT_EQ(choose_vulkan_device(listing, wish).index, 2) << wish;
}

TEST(ChoosingADevice, WithoutAWishTakesNoSoftwareAndNothingUnusable) {
  VulkanListing listing = three_devices();
  EXPECT_EQ(choose_vulkan_device(listing, "").index, 1);
  listing.devices.erase(listing.devices.begin() + 1);
  try {
    choose_vulkan_device(listing, "");
    FAIL() << "a software device was taken";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("there is no GPU"));
    EXPECT_THAT(error.what(), testing::HasSubstr("Soft Renderer (software, only when named)"));
  }
}

TEST(ChoosingADevice, SaysWhyNot) {
  const VulkanListing listing = three_devices();
  const auto why_not = [](const VulkanListing& devices, const std::string& wish) {
    try {
      choose_vulkan_device(devices, wish);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_THAT(why_not(listing, "0"), testing::HasSubstr("too old"));
  EXPECT_THAT(why_not(listing, "3"), testing::HasSubstr("no such Vulkan device"));
  EXPECT_THAT(why_not({.devices = {}, .why_none = "no driver here"}, ""),
              testing::HasSubstr("no driver here"));
}

}  // namespace
}  // namespace hearth
