// An opened GPU: its handles, its limits, and raw buffers on it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/device/vulkan/api.h"
#include "engine/device/vulkan/fragments.h"
#include "engine/device/vulkan/tier_set.h"
#include "engine/device/vulkan/vulkan.h"

namespace hearth::vulkan {

/// The process's one VkInstance, made when it is first asked for. Throws Error.
class Instance {
 public:
  Instance();
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;
  ~Instance();

  static std::shared_ptr<Instance> shared();

  const InstanceApi& api() const { return api_; }

  struct Physical {
    VkPhysicalDevice handle = VK_NULL_HANDLE;
    VulkanDeviceInfo info;
  };
  /// Devices by index; one that several drivers offer stands once.
  const std::vector<Physical>& devices() const { return devices_; }

 private:
  VulkanDeviceInfo describe(VkPhysicalDevice device) const;

  InstanceApi api_;
  VkInstance instance_ = VK_NULL_HANDLE;
  std::vector<Physical> devices_;
};

enum class Memory : std::uint8_t {
  device,  // the device's own; mapped where that is the host's too
  host,    // the host's, mapped and coherent, seen by the device
};

struct RawBuffer {
  VkBuffer buffer = VK_NULL_HANDLE;
  VkDeviceMemory memory = VK_NULL_HANDLE;
  std::uint64_t bytes = 0;
  std::byte* mapped = nullptr;
};

class Gpu {
 public:
  /// Opened for the shaders of these tiers, which the driver claims to have.
  Gpu(const Instance::Physical& physical, std::shared_ptr<Instance> instance,
      const VulkanOptions& options, TierSet tiers, const FragmentSupport& fragments);
  Gpu(const Gpu&) = delete;
  Gpu& operator=(const Gpu&) = delete;
  ~Gpu();

  const DeviceApi& api() const { return api_; }
  VkDevice device() const { return device_; }
  VkQueue queue() const { return queue_; }
  std::uint32_t queue_family() const { return queue_family_; }
  const VkPhysicalDeviceLimits& limits() const { return properties_.limits; }
  const VkPhysicalDeviceProperties& properties() const { return properties_; }
  const VulkanDeviceInfo& info() const { return info_; }
  bool maps_device_memory() const { return maps_device_memory_; }
  std::uint32_t timestamp_bits() const { return timestamp_bits_; }
  std::uint64_t allocated_bytes() const { return allocated_bytes_; }

  /// Throws Error when there is no room, with what was asked for and what there is.
  RawBuffer make_buffer(std::uint64_t bytes, Memory memory);
  void free_buffer(RawBuffer& buffer);

  /// vkQueueSubmit with the fence, and what tests pretend. Throws DeviceLost.
  void submit(VkCommandBuffer commands, VkFence fence);
  void wait(VkFence fence);

  /// Throws Error at the call that tests want to fail.
  void pretend_allocation(std::uint64_t bytes);

 private:
  void open(TierSet tiers, bool asks_for_lanes);
  std::uint32_t memory_type(std::uint32_t allowed, Memory memory) const;
  [[noreturn]] void throw_no_memory(std::uint64_t bytes, VkResult result) const;

  std::shared_ptr<Instance> instance_;
  VkPhysicalDevice physical_;
  VulkanDeviceInfo info_;
  VkPhysicalDeviceProperties properties_{};
  VkPhysicalDeviceMemoryProperties memory_{};
  VkDevice device_ = VK_NULL_HANDLE;
  DeviceApi api_;
  VkQueue queue_ = VK_NULL_HANDLE;
  std::uint32_t queue_family_ = 0;
  std::uint32_t timestamp_bits_ = 0;
  bool maps_device_memory_ = false;
  std::uint64_t allocated_bytes_ = 0;
  int allocations_until_failure_;  // below 0: none
  int submits_until_loss_;
  bool is_lost_ = false;
};

}  // namespace hearth::vulkan
