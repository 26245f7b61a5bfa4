// Vulkan's functions as two tables of pointers, found in the library at run time.
#pragma once

#define VK_NO_PROTOTYPES
#include <vulkan/vulkan_core.h>

#include <string>

#include "engine/device/vulkan/cooperative_matrix.h"

namespace hearth::vulkan {

// clang-format off
#define HEARTH_VK_GLOBAL_FUNCTIONS(X) \
  X(CreateInstance) X(EnumerateInstanceExtensionProperties) X(EnumerateInstanceVersion)

#define HEARTH_VK_INSTANCE_FUNCTIONS(X) \
  X(CreateDevice) X(DestroyInstance) X(EnumerateDeviceExtensionProperties) X(EnumeratePhysicalDevices) \
  X(GetDeviceProcAddr) X(GetPhysicalDeviceFeatures) X(GetPhysicalDeviceFeatures2) X(GetPhysicalDeviceMemoryProperties) \
  X(GetPhysicalDeviceMemoryProperties2) X(GetPhysicalDeviceProperties) X(GetPhysicalDeviceProperties2) \
  X(GetPhysicalDeviceQueueFamilyProperties) X(GetPhysicalDeviceCooperativeMatrixPropertiesKHR)

#define HEARTH_VK_DEVICE_FUNCTIONS(X) \
  X(AllocateCommandBuffers) X(AllocateDescriptorSets) X(AllocateMemory) X(BeginCommandBuffer) X(BindBufferMemory) \
  X(CmdBindDescriptorSets) X(CmdBindPipeline) X(CmdCopyBuffer) X(CmdDispatch) X(CmdFillBuffer) \
  X(CmdPipelineBarrier) X(CmdPushConstants) X(CmdResetQueryPool) X(CmdWriteTimestamp) X(CreateBuffer) \
  X(CreateCommandPool) X(CreateComputePipelines) X(CreateDescriptorPool) X(CreateDescriptorSetLayout) X(CreateFence) \
  X(CreatePipelineCache) X(CreatePipelineLayout) X(CreateQueryPool) X(CreateShaderModule) X(DestroyBuffer) \
  X(DestroyCommandPool) X(DestroyDescriptorPool) X(DestroyDescriptorSetLayout) X(DestroyDevice) X(DestroyFence) \
  X(DestroyPipeline) X(DestroyPipelineCache) X(DestroyPipelineLayout) X(DestroyQueryPool) X(DestroyShaderModule) \
  X(DeviceWaitIdle) X(EndCommandBuffer) X(FreeMemory) X(GetBufferMemoryRequirements) X(GetDeviceQueue) \
  X(GetFenceStatus) X(GetPipelineCacheData) X(GetQueryPoolResults) X(MapMemory) X(QueueSubmit) X(ResetDescriptorPool) X(ResetFences) \
  X(UpdateDescriptorSets) X(WaitForFences)
// clang-format on

#define HEARTH_VK_MEMBER(name) PFN_vk##name name = nullptr;

struct GlobalApi {
  PFN_vkGetInstanceProcAddr GetInstanceProcAddr = nullptr;
  HEARTH_VK_GLOBAL_FUNCTIONS(HEARTH_VK_MEMBER)
};

/// Those of extensions are nullptr where there is no such extension.
struct InstanceApi {
  HEARTH_VK_INSTANCE_FUNCTIONS(HEARTH_VK_MEMBER)
};

struct DeviceApi {
  HEARTH_VK_DEVICE_FUNCTIONS(HEARTH_VK_MEMBER)
};

#undef HEARTH_VK_MEMBER

/// Loads the library, once. nullptr if there is none; then why_no_library() says so.
const GlobalApi* global_api();
const std::string& why_no_library();

InstanceApi load_instance_api(const GlobalApi& global, VkInstance instance);
DeviceApi load_device_api(const InstanceApi& instance, VkDevice device);

/// A structure of Vulkan's with its type filled in and all else zero.
template <class Info>
Info vk_struct(VkStructureType type) {
  Info info{};
  info.sType = type;
  return info;
}

/// Throws Error, or DeviceLost, unless `result` is success. `doing` is what was tried, in words.
void check(VkResult result, const std::string& doing);

std::string result_name(VkResult result);

}  // namespace hearth::vulkan
