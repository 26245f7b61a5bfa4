#include "engine/device/vulkan/gpu.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/error.h"

namespace hearth::vulkan {
namespace {

constexpr double kMiB = 1024.0 * 1024.0;
constexpr std::uint64_t kWaitNanoseconds = 1'000'000'000;

/// So long a fence is looked at before the thread sleeps: longer than a token takes on a fast
/// device, where waking up would be a part of it.
constexpr std::chrono::milliseconds kLookedFor{3};

/// A queue that computes: one that does nothing else if there is one, as it is not shared with the
/// screen.
struct QueueChoice {
  std::uint32_t family = 0;
  std::uint32_t timestamp_bits = 0;
  bool found = false;
};

QueueChoice choose_queue(const InstanceApi& api, VkPhysicalDevice device) {
  std::uint32_t n = 0;
  api.GetPhysicalDeviceQueueFamilyProperties(device, &n, nullptr);
  std::vector<VkQueueFamilyProperties> families(n);
  api.GetPhysicalDeviceQueueFamilyProperties(device, &n, families.data());
  QueueChoice choice;
  for (std::uint32_t i = 0; i < n; ++i) {
    if ((families[i].queueFlags & VK_QUEUE_COMPUTE_BIT) == 0) continue;
    const bool draws = (families[i].queueFlags & VK_QUEUE_GRAPHICS_BIT) != 0;
    if (choice.found && draws) continue;
    choice = {.family = i, .timestamp_bits = families[i].timestampValidBits, .found = true};
    if (!draws) break;
  }
  return choice;
}

}  // namespace

Gpu::Gpu(const Instance::Physical& physical, std::shared_ptr<Instance> instance,
         const VulkanOptions& options, TierSet tiers, const FragmentSupport& fragments)
    : instance_(std::move(instance)),
      physical_(physical.handle),
      info_(physical.info),
      allocations_until_failure_(options.fail_allocation),
      submits_until_loss_(options.lose_at_submit) {
  const InstanceApi& api = instance_->api();
  api.GetPhysicalDeviceProperties(physical_, &properties_);
  api.GetPhysicalDeviceMemoryProperties(physical_, &memory_);
  maps_device_memory_ = info_.is_unified && !options.always_stage;
  const QueueChoice choice = choose_queue(api, physical_);
  if (!choice.found) {
    throw Error(Error::Parts{.where = info_.name,
                             .what = "the device has no queue that computes",
                             .expected = {},
                             .got = {}});
  }
  queue_family_ = choice.family;
  timestamp_bits_ = choice.timestamp_bits;
  open(tiers, fragments.asks_for_lanes);
  api_ = load_device_api(api, device_);
  api_.GetDeviceQueue(device_, queue_family_, 0, &queue_);
}

void Gpu::open(TierSet tiers, bool asks_for_lanes) {
  const float priority = 1.0F;
  auto queue = vk_struct<VkDeviceQueueCreateInfo>(VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO);
  queue.queueFamilyIndex = queue_family_;
  queue.queueCount = 1;
  queue.pQueuePriorities = &priority;
  auto info = vk_struct<VkDeviceCreateInfo>(VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO);
  info.queueCreateInfoCount = 1;
  info.pQueueCreateInfos = &queue;
  std::vector<const char*> extensions;
  auto dot = vk_struct<VkPhysicalDeviceShaderIntegerDotProductFeatures>(
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_FEATURES);
  dot.shaderIntegerDotProduct = VK_TRUE;
  auto matrix = vk_struct<VkPhysicalDeviceCooperativeMatrixFeaturesKHR>(
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR);
  matrix.cooperativeMatrix = VK_TRUE;
  auto model = vk_struct<VkPhysicalDeviceVulkanMemoryModelFeatures>(
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_MEMORY_MODEL_FEATURES);
  model.vulkanMemoryModel = VK_TRUE;
  auto half = vk_struct<VkPhysicalDeviceShaderFloat16Int8Features>(
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_FLOAT16_INT8_FEATURES);
  half.shaderFloat16 = VK_TRUE;
  auto width = vk_struct<VkPhysicalDeviceSubgroupSizeControlFeaturesEXT>(
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES_EXT);
  width.subgroupSizeControl = VK_TRUE;
  width.computeFullSubgroups = VK_TRUE;
  const auto chain = [&info](auto& features) {
    features.pNext = const_cast<void*>(info.pNext);
    info.pNext = &features;
  };
  if (tiers.has(Tier::dot)) {
    extensions.push_back(VK_KHR_SHADER_INTEGER_DOT_PRODUCT_EXTENSION_NAME);
    chain(dot);
  }
  if (tiers.has(Tier::matrix)) {
    for (const char* name :
         {VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME, VK_KHR_VULKAN_MEMORY_MODEL_EXTENSION_NAME,
          VK_KHR_SHADER_FLOAT16_INT8_EXTENSION_NAME}) {
      extensions.push_back(name);
    }
    chain(matrix);
    chain(model);
    chain(half);
    if (asks_for_lanes) {
      extensions.push_back(VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME);
      chain(width);
    }
  }
  info.enabledExtensionCount = static_cast<std::uint32_t>(extensions.size());
  info.ppEnabledExtensionNames = extensions.data();
  check(instance_->api().CreateDevice(physical_, &info, nullptr, &device_),
        "opening " + info_.name);
}

Gpu::~Gpu() {
  if (device_) api_.DestroyDevice(device_, nullptr);
}

std::uint32_t Gpu::memory_type(std::uint32_t allowed, Memory memory) const {
  constexpr VkMemoryPropertyFlags kOwn = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT;
  constexpr VkMemoryPropertyFlags kMapped =
      VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
  constexpr VkMemoryPropertyFlags kCached = VK_MEMORY_PROPERTY_HOST_CACHED_BIT;
  // The wishes, best first. What the host reads should be cached; weights stay out of what a
  // discrete device lets the host see.
  std::vector<VkMemoryPropertyFlags> wishes;
  if (memory == Memory::host) {
    wishes = {kMapped | kCached, kMapped};
  } else if (maps_device_memory_) {
    wishes = {kOwn | kMapped | kCached, kOwn | kMapped, kOwn};
  } else {
    wishes = {kOwn, 0};
  }
  for (const VkMemoryPropertyFlags wish : wishes) {
    for (const bool may_be_visible : {false, true}) {
      for (std::uint32_t i = 0; i < memory_.memoryTypeCount; ++i) {
        const VkMemoryPropertyFlags flags = memory_.memoryTypes[i].propertyFlags;
        const bool is_visible = (flags & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT) != 0;
        const bool wants_visible = (wish & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT) != 0;
        if ((allowed >> i & 1) == 0 || (flags & wish) != wish) continue;
        if (is_visible && !wants_visible && !may_be_visible) continue;
        return i;
      }
    }
  }
  throw Error(Error::Parts{.where = info_.name,
                           .what = "the device has no memory of the kind that is needed",
                           .expected = {},
                           .got = {}});
}

void Gpu::throw_no_memory(std::uint64_t bytes, VkResult result) const {
  throw OutOfDeviceMemory(Error::Parts{
      .where = info_.name,
      .what = fmt::format(
          "no room for {:.1f} MiB more ({}), beside {:.1f} MiB that are taken of {:.0f} MiB",
          static_cast<double>(bytes) / kMiB, result_name(result),
          static_cast<double>(allocated_bytes_) / kMiB,
          static_cast<double>(info_.memory_bytes) / kMiB),
      .expected = {},
      .got = {}});
}

void Gpu::pretend_allocation(std::uint64_t bytes) {
  if (allocations_until_failure_ < 0) return;
  if (allocations_until_failure_-- == 0) throw_no_memory(bytes, VK_ERROR_OUT_OF_DEVICE_MEMORY);
}

RawBuffer Gpu::make_buffer(std::uint64_t bytes, Memory memory) {
  pretend_allocation(bytes);
  RawBuffer made;
  auto info = vk_struct<VkBufferCreateInfo>(VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO);
  info.size = bytes;
  info.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_SRC_BIT |
               VK_BUFFER_USAGE_TRANSFER_DST_BIT;
  check(api_.CreateBuffer(device_, &info, nullptr, &made.buffer), "creating a buffer");
  VkMemoryRequirements needs{};
  api_.GetBufferMemoryRequirements(device_, made.buffer, &needs);
  auto allocation = vk_struct<VkMemoryAllocateInfo>(VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO);
  allocation.allocationSize = needs.size;
  VkResult result = VK_SUCCESS;
  try {
    allocation.memoryTypeIndex = memory_type(needs.memoryTypeBits, memory);
    result = api_.AllocateMemory(device_, &allocation, nullptr, &made.memory);
    if (result == VK_SUCCESS) {
      made.bytes = needs.size;
      allocated_bytes_ += made.bytes;
      check(api_.BindBufferMemory(device_, made.buffer, made.memory, 0), "binding memory");
      const VkMemoryPropertyFlags flags =
          memory_.memoryTypes[allocation.memoryTypeIndex].propertyFlags;
      const bool wants_map = memory == Memory::host || maps_device_memory_;
      if (wants_map && (flags & VK_MEMORY_PROPERTY_HOST_COHERENT_BIT) != 0) {
        void* mapped = nullptr;
        check(api_.MapMemory(device_, made.memory, 0, VK_WHOLE_SIZE, 0, &mapped), "mapping memory");
        made.mapped = static_cast<std::byte*>(mapped);
      }
    }
  } catch (...) {
    free_buffer(made);
    throw;
  }
  if (result != VK_SUCCESS) {
    free_buffer(made);
    throw_no_memory(bytes, result);
  }
  return made;
}

void Gpu::free_buffer(RawBuffer& buffer) {
  if (buffer.buffer) api_.DestroyBuffer(device_, buffer.buffer, nullptr);
  if (buffer.memory) {
    api_.FreeMemory(device_, buffer.memory, nullptr);
    allocated_bytes_ -= buffer.bytes;
  }
  buffer = {};
}

void Gpu::submit(VkCommandBuffer commands, VkFence fence) {
  if (submits_until_loss_ >= 0 && submits_until_loss_-- == 0) is_lost_ = true;
  if (is_lost_) check(VK_ERROR_DEVICE_LOST, "submitting work to " + info_.name);
  auto info = vk_struct<VkSubmitInfo>(VK_STRUCTURE_TYPE_SUBMIT_INFO);
  info.commandBufferCount = 1;
  info.pCommandBuffers = &commands;
  const VkResult result = api_.QueueSubmit(queue_, 1, &info, fence);
  is_lost_ = result == VK_ERROR_DEVICE_LOST;
  check(result, "submitting work to " + info_.name);
}

void Gpu::wait(VkFence fence) {
  VkResult result = VK_NOT_READY;
  if (!info_.is_software) {
    const auto start = std::chrono::steady_clock::now();
    while (result == VK_NOT_READY && std::chrono::steady_clock::now() - start < kLookedFor)
      result = api_.GetFenceStatus(device_, fence);
  }
  if (result == VK_NOT_READY) result = VK_TIMEOUT;
  while (result == VK_TIMEOUT)
    result = api_.WaitForFences(device_, 1, &fence, VK_TRUE, kWaitNanoseconds);
  is_lost_ = is_lost_ || result == VK_ERROR_DEVICE_LOST;
  check(result, "waiting for " + info_.name);
}

}  // namespace hearth::vulkan
