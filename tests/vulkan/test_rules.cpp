// What a device of invented limits would take: no device is needed.
#include <gtest/gtest.h>

#include <numeric>

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

}  // namespace
}  // namespace hearth
