// GPUs through Vulkan: which there are, and a Device on one of them. Nothing of Vulkan is seen
// here, and its library is loaded when it is first asked for, so that the same program runs where
// there is none.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/device/device.h"
#include "engine/device/memory_rules.h"

namespace hearth {

struct VulkanDeviceInfo {
  int index = 0;
  std::string name;
  std::string uuid;    // 8-4-4-4-12 hexadecimal digits
  std::string kind;    // "discrete", "integrated", "virtual", "software", "other"
  std::string driver;  // its name and version, as it gives them
  std::string vulkan;  // version of the API, "1.3.230"
  bool is_software = false;
  bool is_unified = false;         // its memory is the host's
  std::uint64_t memory_bytes = 0;  // of the largest heap of its own
  std::uint64_t free_bytes = 0;    // of these; a guess where the driver does not tell
  std::uint64_t max_binding = 0;   // bytes that a shader sees of a buffer
  std::string unusable;            // why Hearth cannot use it; empty if it can
};

struct VulkanListing {
  std::vector<VulkanDeviceInfo> devices;  // by index; a device that two drivers offer stands once
  std::string why_none;                   // where there are none
};

VulkanListing list_vulkan_devices();

/// Shaders that need more of a driver than the base does, and whether they are used.
struct VulkanTier {
  std::string name = {};
  std::string what = {};       // it does, and for which ops
  bool rounds_inputs = false;  // of products: results differ as those of the CPU device do
  bool is_on = false;
  std::string why_off = {};
  bool is_unexpected = false;  // off, although the driver claims it or it was asked for by name
};

struct VulkanOptions {
  /// Index, UUID, or a part of the name in any letter case. Empty: the first discrete, else
  /// integrated, else virtual one; software devices only when named.
  std::string device = {};

  std::uint64_t staging_bytes = std::uint64_t{16} << 20;  // between host and device
  /// What products make of their inputs, and the parts of attention's results. Half-precision
  /// inputs of 512 rows fit up to 32768 columns.
  std::uint64_t partial_bytes = std::uint64_t{32} << 20;
  bool kv_on_host = false;  // keys and values in the host's memory, which the device reads
  bool profile = false;     // measure every op
  /// Of compiled pipelines, and of what self-tests found; empty: $XDG_CACHE_HOME/hearth or
  /// ~/.cache/hearth.
  std::string cache_folder = {};
  bool use_cache = true;

  /// Names of the tiers to use and no others, with commas between, or "none". Empty: what the
  /// environment's HEARTH_VULKAN_TIERS says, else those that suit the device.
  std::string tiers = {};

  /// Run the self-tests of tiers, although what they found in an earlier run may be known.
  bool test_tiers = false;

  // What tests pretend.
  std::uint64_t max_binding = 0;   // 0: the device's own
  std::uint64_t max_slab = 0;      // bytes of one allocation; 0: the device's own, at most 1 GiB
  std::uint64_t work_at_once = 0;  // multiplications that are sent at first; 0: as suits a GPU
  int workgroup = 0;               // lanes; 0: as suits the device
  int busy_groups = 0;             // workgroups that keep the device busy; 0: as of a large one
  bool always_stage = false;       // as if its memory were not the host's
  int fail_allocation = -1;        // the k-th allocation of device memory fails
  int lose_at_submit = -1;         // the k-th submit loses the device
  std::string lying_tier = {};     // the driver does this tier's shaders wrong
};

/// What a VulkanDevice has done, for benchmarks and tests.
struct VulkanStats {
  std::uint64_t allocated_bytes = 0;   // device memory, and the host's that it shares
  std::uint64_t downloaded_bytes = 0;  // that came back from it
  std::uint64_t submits = 0;
  std::uint64_t recordings =
      0;  // command buffers that were recorded; the other submits were replays
  std::uint64_t dispatches = 0;  // in these recordings
  std::uint64_t barriers = 0;
};

/// Time that a verb took on the device, in all.
struct VulkanOpTime {
  std::string op;
  std::uint64_t count = 0;
  double seconds = 0.0;
  std::uint64_t bytes = 0;  // of weights that it read
};

class VulkanDevice : public Device {
 public:
  virtual const VulkanDeviceInfo& info() const = 0;
  virtual VulkanStats stats() const = 0;

  /// All tiers, and why those that are off are.
  virtual const std::vector<VulkanTier>& tiers() const = 0;

  /// Bytes per second of a copy within the device's memory, read and written ones together;
  /// measured now. Throws Error when there is no room for the copy.
  virtual double copy_bandwidth() = 0;

  /// With VulkanOptions::profile: times since the last call.
  virtual std::vector<VulkanOpTime> take_profile() = 0;
};

/// Throws Error when there is no Vulkan, no such device, or the device cannot be used.
std::unique_ptr<VulkanDevice> open_vulkan_device(const VulkanOptions& options = {});

/// The one that options.device means. Throws Error, with those that there are.
const VulkanDeviceInfo& choose_vulkan_device(const VulkanListing& listing, const std::string& wish);

/// The tiers of an opened device, without it staying open. Throws Error as open_vulkan_device.
std::vector<VulkanTier> vulkan_tiers(const VulkanOptions& options = {});

/// What a device of these limits takes for weights, caches and scratch. Pure.
std::unique_ptr<MemoryRules> vulkan_memory_rules(const VulkanDeviceInfo& info,
                                                 const VulkanOptions& options = {});

}  // namespace hearth
