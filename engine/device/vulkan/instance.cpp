// Which devices there are.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <mutex>

#include "base/error.h"
#include "engine/device/vulkan/gpu.h"

namespace hearth {
namespace vulkan {
namespace {

struct KindRow {
  VkPhysicalDeviceType type;
  const char* name;
};

constexpr KindRow kKinds[] = {{VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU, "discrete"},
                              {VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU, "integrated"},
                              {VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU, "virtual"},
                              {VK_PHYSICAL_DEVICE_TYPE_CPU, "software"}};

std::string kind_name(VkPhysicalDeviceType type) {
  for (const KindRow& row : kKinds) {
    if (row.type == type) return row.name;
  }
  return "other";
}

std::string uuid_text(const std::uint8_t (&uuid)[VK_UUID_SIZE]) {
  std::string text;
  for (std::size_t i = 0; i < VK_UUID_SIZE; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += fmt::format("{:02x}", uuid[i]);
  }
  return text;
}

std::string version_text(std::uint32_t version) {
  return fmt::format("{}.{}.{}", VK_API_VERSION_MAJOR(version), VK_API_VERSION_MINOR(version),
                     VK_API_VERSION_PATCH(version));
}

bool has_extension(const std::vector<VkExtensionProperties>& all, const char* name) {
  return std::any_of(all.begin(), all.end(), [&](const VkExtensionProperties& extension) {
    return std::strcmp(extension.extensionName, name) == 0;
  });
}

/// Where a driver does not tell how much of its memory is free, this share of it is taken to be.
constexpr double kUsuallyFree = 0.85;

struct Heap {
  std::uint64_t bytes = 0;
  std::uint64_t free = 0;
  bool is_host_visible = false;
};

Heap largest_own_heap(const InstanceApi& api, VkPhysicalDevice device) {
  std::uint32_t n = 0;
  api.EnumerateDeviceExtensionProperties(device, nullptr, &n, nullptr);
  std::vector<VkExtensionProperties> extensions(n);
  api.EnumerateDeviceExtensionProperties(device, nullptr, &n, extensions.data());
  const bool tells_budget = has_extension(extensions, VK_EXT_MEMORY_BUDGET_EXTENSION_NAME);
  auto budget = vk_struct<VkPhysicalDeviceMemoryBudgetPropertiesEXT>(
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT);
  auto memory = vk_struct<VkPhysicalDeviceMemoryProperties2>(
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2);
  if (tells_budget) memory.pNext = &budget;
  api.GetPhysicalDeviceMemoryProperties2(device, &memory);
  const VkPhysicalDeviceMemoryProperties& p = memory.memoryProperties;
  Heap best;
  for (std::uint32_t i = 0; i < p.memoryTypeCount; ++i) {
    const VkMemoryType& type = p.memoryTypes[i];
    if ((type.propertyFlags & VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT) == 0) continue;
    const std::uint32_t h = type.heapIndex;
    if (p.memoryHeaps[h].size < best.bytes) continue;
    const bool same = p.memoryHeaps[h].size == best.bytes;
    best.bytes = p.memoryHeaps[h].size;
    best.free = tells_budget
                    ? budget.heapBudget[h] - std::min(budget.heapBudget[h], budget.heapUsage[h])
                    : static_cast<std::uint64_t>(kUsuallyFree * static_cast<double>(best.bytes));
    const bool visible = (type.propertyFlags & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT) != 0;
    best.is_host_visible = visible || (same && best.is_host_visible);
  }
  return best;
}

/// Better devices first, each kind in the order of the loader.
int rank(const VulkanDeviceInfo& info) {
  constexpr const char* kOrder[] = {"discrete", "integrated", "virtual", "other", "software"};
  const auto* found = std::find(std::begin(kOrder), std::end(kOrder), info.kind);
  return static_cast<int>(found - std::begin(kOrder));
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

}  // namespace

Instance::Instance() {
  const GlobalApi* global = global_api();
  if (!global)
    throw Error(
        Error::Parts{.where = "Vulkan", .what = why_no_library(), .expected = {}, .got = {}});
  auto application = vk_struct<VkApplicationInfo>(VK_STRUCTURE_TYPE_APPLICATION_INFO);
  application.pApplicationName = "hearth";
  application.apiVersion = VK_API_VERSION_1_1;
  auto info = vk_struct<VkInstanceCreateInfo>(VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO);
  info.pApplicationInfo = &application;
  // Layered implementations (MoltenVK) are offered to those only who say that they know.
  std::uint32_t n = 0;
  global->EnumerateInstanceExtensionProperties(nullptr, &n, nullptr);
  std::vector<VkExtensionProperties> extensions(n);
  global->EnumerateInstanceExtensionProperties(nullptr, &n, extensions.data());
  const char* portability = "VK_KHR_portability_enumeration";
  if (has_extension(extensions, portability)) {
    info.flags = 0x00000001;  // VK_INSTANCE_CREATE_ENUMERATE_PORTABILITY_BIT_KHR
    info.enabledExtensionCount = 1;
    info.ppEnabledExtensionNames = &portability;
  }
  check(global->CreateInstance(&info, nullptr, &instance_), "creating an instance");
  api_ = load_instance_api(*global, instance_);

  std::uint32_t n_devices = 0;
  check(api_.EnumeratePhysicalDevices(instance_, &n_devices, nullptr), "listing the devices");
  std::vector<VkPhysicalDevice> handles(n_devices);
  check(api_.EnumeratePhysicalDevices(instance_, &n_devices, handles.data()),
        "listing the devices");
  for (VkPhysicalDevice handle : handles) {
    Physical device{.handle = handle, .info = describe(handle)};
    const bool known = std::any_of(devices_.begin(), devices_.end(), [&](const Physical& other) {
      return other.info.uuid == device.info.uuid && other.info.kind == device.info.kind;
    });
    if (!known) devices_.push_back(std::move(device));
  }
  std::stable_sort(devices_.begin(), devices_.end(), [](const Physical& a, const Physical& b) {
    return rank(a.info) < rank(b.info);
  });
  for (std::size_t i = 0; i < devices_.size(); ++i) devices_[i].info.index = static_cast<int>(i);
}

Instance::~Instance() {
  if (instance_) api_.DestroyInstance(instance_, nullptr);
}

std::shared_ptr<Instance> Instance::shared() {
  static std::mutex mutex;
  // Never destroyed: when a process ends, parts of a driver may be gone before it.
  static auto* instance = new std::shared_ptr<Instance>();
  const std::lock_guard lock(mutex);
  if (!*instance) *instance = std::make_shared<Instance>();
  return *instance;
}

VulkanDeviceInfo Instance::describe(VkPhysicalDevice device) const {
  VulkanDeviceInfo info;
  VkPhysicalDeviceProperties plain{};
  api_.GetPhysicalDeviceProperties(device, &plain);
  info.name = plain.deviceName;
  info.kind = kind_name(plain.deviceType);
  info.is_software = plain.deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU;
  info.vulkan = version_text(plain.apiVersion);
  info.max_binding = plain.limits.maxStorageBufferRange;
  info.driver =
      fmt::format("vendor 0x{:04x}, driver 0x{:08x}", plain.vendorID, plain.driverVersion);
  if (plain.apiVersion < VK_API_VERSION_1_1) {
    info.unusable = fmt::format("it has Vulkan {}, and 1.1 is needed", info.vulkan);
    return info;
  }
  auto id =
      vk_struct<VkPhysicalDeviceIDProperties>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES);
  auto driver = vk_struct<VkPhysicalDeviceDriverProperties>(
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES);
  auto properties =
      vk_struct<VkPhysicalDeviceProperties2>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2);
  properties.pNext = &id;
  if (plain.apiVersion >= VK_API_VERSION_1_2) id.pNext = &driver;
  api_.GetPhysicalDeviceProperties2(device, &properties);
  info.uuid = uuid_text(id.deviceUUID);
  if (driver.driverName[0] != '\0')
    info.driver = fmt::format("{} {}", driver.driverName, driver.driverInfo);
  const Heap heap = largest_own_heap(api_, device);
  info.memory_bytes = heap.bytes;
  info.free_bytes = heap.free;
  info.is_unified =
      heap.is_host_visible && plain.deviceType != VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU;
  return info;
}

}  // namespace vulkan

VulkanListing list_vulkan_devices() {
  VulkanListing listing;
  try {
    for (const vulkan::Instance::Physical& device : vulkan::Instance::shared()->devices()) {
      listing.devices.push_back(device.info);
    }
    if (listing.devices.empty())
      listing.why_none = "Vulkan is installed, but no driver of a device";
  } catch (const Error& error) {
    listing.why_none = error.what();
  }
  return listing;
}

const VulkanDeviceInfo& choose_vulkan_device(const VulkanListing& listing,
                                             const std::string& wish) {
  std::string names;
  for (const VulkanDeviceInfo& info : listing.devices) {
    names += fmt::format("{}{}: {}{}", names.empty() ? "" : ", ", info.index, info.name,
                         info.is_software ? " (software, only when named)" : "");
  }
  if (listing.devices.empty()) {
    throw Error(Error::Parts{.where = "--device",
                             .what = "there is no Vulkan device: " + listing.why_none,
                             .expected = {},
                             .got = {}});
  }
  const std::string wanted = vulkan::lower(wish);
  for (const VulkanDeviceInfo& info : listing.devices) {
    const bool is_it = wanted.empty()
                           ? !info.is_software && info.unusable.empty()
                           : wanted == std::to_string(info.index) || wanted == info.uuid ||
                                 vulkan::lower(info.name).find(wanted) != std::string::npos;
    if (!is_it) continue;
    if (info.unusable.empty()) return info;
    throw Error(Error::Parts{
        .where = info.name, .what = "cannot be used: " + info.unusable, .expected = {}, .got = {}});
  }
  throw Error(
      Error::Parts{.where = "--device",
                   .what = wish.empty() ? "there is no GPU" : "there is no such Vulkan device",
                   .expected = "one of " + names,
                   .got = wish});
}

}  // namespace hearth
