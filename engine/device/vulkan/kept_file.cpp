#include "engine/device/vulkan/kept_file.h"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>

#include "base/hash64.h"
#include "base/output_file.h"
#include "engine/device/vulkan/pipelines.h"

namespace hearth::vulkan {
namespace {

std::uint64_t hash_of_shaders() {
  Hash64 hash;
  for (const std::string_view name : shader_names()) {
    hash.add(name);
    hash.add(std::as_bytes(shader_code(name)));
  }
  return hash.value();
}

/// Empty: nowhere.
std::string folder_of(const VulkanOptions& options) {
  if (!options.use_cache) return "";
  if (!options.cache_folder.empty()) return options.cache_folder;
  const char* xdg = std::getenv("XDG_CACHE_HOME");
  if (xdg && *xdg) return std::string(xdg) + "/hearth";
  const char* home = std::getenv("HOME");
  return home && *home ? std::string(home) + "/.cache/hearth" : "";
}

std::string path_of(std::string_view name, const VulkanOptions& options,
                    const VulkanDeviceInfo& info) {
  const std::string folder = folder_of(options);
  return folder.empty() ? "" : fmt::format("{}/{}-{}.bin", folder, name, info.uuid);
}

}  // namespace

std::string device_stamp(const VkPhysicalDeviceProperties& device) {
  static const std::uint64_t kShaders = hash_of_shaders();
  std::string stamp = fmt::format("{:08x} {:08x} {:08x} {:016x} ", device.vendorID, device.deviceID,
                                  device.driverVersion, kShaders);
  for (const std::uint8_t byte : device.pipelineCacheUUID) stamp += fmt::format("{:02x}", byte);
  return stamp;
}

KeptFile::KeptFile(std::string_view name, const VulkanOptions& options,
                   const VulkanDeviceInfo& info, const VkPhysicalDeviceProperties& device)
    : KeptFile(path_of(name, options, info), device_stamp(device)) {}

/// The first line of the file.
std::string KeptFile::head_of(std::string_view contents) const {
  return fmt::format("hearth {} {} {:016x}\n", stamp_, contents.size(), hash64(contents));
}

std::optional<std::string> KeptFile::read() const {
  if (path_.empty()) return {};
  std::ifstream file(path_, std::ios::binary);
  std::string contents(std::istreambuf_iterator<char>(file), {});
  const std::size_t end = contents.find('\n');
  if (end == std::string::npos) return {};
  const std::string head = contents.substr(0, end + 1);
  contents.erase(0, end + 1);
  if (head != head_of(contents)) return {};
  return contents;
}

void KeptFile::write(std::string_view contents) const {
  if (path_.empty()) return;
  try {
    std::error_code ignored;
    std::filesystem::create_directories(std::filesystem::path(path_).parent_path(), ignored);
    OutputFile file(path_);
    const std::string head = head_of(contents);
    file.write(std::as_bytes(std::span(head)));
    file.write(std::as_bytes(std::span(contents)));
    file.commit();
  } catch (const std::exception&) {
    return;
  }
}

}  // namespace hearth::vulkan
