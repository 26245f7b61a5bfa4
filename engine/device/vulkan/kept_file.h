// Files that are kept for a device between runs. They are good for one driver and one set of
// shaders; any other file, and one that is not whole, counts as none.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/device/vulkan/api.h"
#include "engine/device/vulkan/vulkan.h"

namespace hearth::vulkan {

/// What a kept file depends on: the device, its driver, and all shaders.
std::string device_stamp(const VkPhysicalDeviceProperties& device);

class KeptFile {
 public:
  /// `path` empty: nothing is kept.
  KeptFile(std::string path, std::string stamp)
      : path_(std::move(path)), stamp_(std::move(stamp)) {}

  /// In the folder that the options say, named after the device: "NAME-UUID.bin".
  KeptFile(std::string_view name, const VulkanOptions& options, const VulkanDeviceInfo& info,
           const VkPhysicalDeviceProperties& device);

  bool is_kept() const { return !path_.empty(); }

  /// What was written, if it is still good.
  std::optional<std::string> read() const;

  /// Whole or not at all. Failing to keep something costs time at the next start, and nothing else.
  void write(std::string_view contents) const;

 private:
  std::string head_of(std::string_view contents) const;

  std::string path_;
  std::string stamp_;
};

}  // namespace hearth::vulkan
