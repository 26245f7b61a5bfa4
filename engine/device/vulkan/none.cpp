// In place of everything else in this folder, where the program was built without Vulkan.
#include "base/error.h"
#include "engine/device/vulkan/vulkan.h"

namespace hearth {
namespace {

constexpr const char* kNone = "this program was built without Vulkan (-DHEARTH_VULKAN=OFF)";

[[noreturn]] void throw_none() {
  throw Error(Error::Parts{.where = "--device", .what = kNone, .expected = {}, .got = {}});
}

}  // namespace

VulkanListing list_vulkan_devices() {
  return {.devices = {}, .why_none = kNone};
}

const VulkanDeviceInfo& choose_vulkan_device(const VulkanListing&, const std::string&) {
  throw_none();
}

std::unique_ptr<VulkanDevice> open_vulkan_device(const VulkanOptions&) {
  throw_none();
}

std::vector<VulkanTier> vulkan_tiers(const VulkanOptions&) {
  throw_none();
}

std::unique_ptr<MemoryRules> vulkan_memory_rules(const VulkanDeviceInfo&, const VulkanOptions&) {
  throw_none();
}

}  // namespace hearth
