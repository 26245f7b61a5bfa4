#include "engine/device/vulkan/api.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include "base/error.h"
#include "engine/device/device.h"

namespace hearth::vulkan {
namespace {

struct Library {
  GlobalApi api;
  bool is_there = false;
  std::string why_not;
};

/// Stays loaded until the process ends: drivers do not like to be taken away.
Library load_library() {
  Library library;
  void* handle = nullptr;
  for (const char* name :
       {"libvulkan.so.1", "libvulkan.so", "libvulkan.dylib", "libMoltenVK.dylib"}) {
    handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (handle) break;
  }
  if (!handle) {
    library.why_not =
        "Vulkan's loader, libvulkan.so.1, is not installed (Debian, Ubuntu: apt install libvulkan1 "
        "and a driver "
        "such as mesa-vulkan-drivers)";
    return library;
  }
  const auto get =
      reinterpret_cast<PFN_vkGetInstanceProcAddr>(dlsym(handle, "vkGetInstanceProcAddr"));
  if (!get) {
    library.why_not = "libvulkan.so.1 is not Vulkan's loader: it lacks vkGetInstanceProcAddr";
    return library;
  }
  library.api.GetInstanceProcAddr = get;
#define HEARTH_VK_LOAD(name) \
  library.api.name = reinterpret_cast<PFN_vk##name>(get(VK_NULL_HANDLE, "vk" #name));
  HEARTH_VK_GLOBAL_FUNCTIONS(HEARTH_VK_LOAD)
#undef HEARTH_VK_LOAD
  library.is_there = library.api.CreateInstance && library.api.EnumerateInstanceVersion;
  if (!library.is_there) library.why_not = "the Vulkan loader is older than version 1.1";
  return library;
}

const Library& library() {
  static const Library kLibrary = load_library();
  return kLibrary;
}

struct ResultRow {
  VkResult result;
  const char* name;
};

constexpr ResultRow kResults[] = {
    {VK_NOT_READY, "not ready"},
    {VK_TIMEOUT, "timeout"},
    {VK_ERROR_OUT_OF_HOST_MEMORY, "out of host memory"},
    {VK_ERROR_OUT_OF_DEVICE_MEMORY, "out of device memory"},
    {VK_ERROR_INITIALIZATION_FAILED, "initialisation failed"},
    {VK_ERROR_DEVICE_LOST, "device lost"},
    {VK_ERROR_MEMORY_MAP_FAILED, "memory cannot be mapped"},
    {VK_ERROR_LAYER_NOT_PRESENT, "layer not present"},
    {VK_ERROR_EXTENSION_NOT_PRESENT, "extension not present"},
    {VK_ERROR_FEATURE_NOT_PRESENT, "feature not present"},
    {VK_ERROR_INCOMPATIBLE_DRIVER, "no driver, or one that is too old"},
    {VK_ERROR_TOO_MANY_OBJECTS, "too many objects"},
    {VK_ERROR_FRAGMENTED_POOL, "fragmented pool"},
    {VK_ERROR_OUT_OF_POOL_MEMORY, "pool exhausted"},
};

}  // namespace

const GlobalApi* global_api() {
  return library().is_there ? &library().api : nullptr;
}

const std::string& why_no_library() {
  return library().why_not;
}

InstanceApi load_instance_api(const GlobalApi& global, VkInstance instance) {
  InstanceApi api;
#define HEARTH_VK_LOAD(name) \
  api.name = reinterpret_cast<PFN_vk##name>(global.GetInstanceProcAddr(instance, "vk" #name));
  HEARTH_VK_INSTANCE_FUNCTIONS(HEARTH_VK_LOAD)
#undef HEARTH_VK_LOAD
  return api;
}

DeviceApi load_device_api(const InstanceApi& instance, VkDevice device) {
  DeviceApi api;
#define HEARTH_VK_LOAD(name) \
  api.name = reinterpret_cast<PFN_vk##name>(instance.GetDeviceProcAddr(device, "vk" #name));
  HEARTH_VK_DEVICE_FUNCTIONS(HEARTH_VK_LOAD)
#undef HEARTH_VK_LOAD
  return api;
}

std::string result_name(VkResult result) {
  for (const ResultRow& row : kResults) {
    if (row.result == result) return row.name;
  }
  return fmt::format("VkResult {}", static_cast<int>(result));
}

void check(VkResult result, const std::string& doing) {
  if (result == VK_SUCCESS) return;
  const Error::Parts parts = {
      .where = "Vulkan", .what = doing + " failed", .expected = {}, .got = result_name(result)};
  if (result == VK_ERROR_DEVICE_LOST) throw DeviceLost(parts);
  throw Error(parts);
}

}  // namespace hearth::vulkan
