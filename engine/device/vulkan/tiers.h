// Tiers: sets of shaders that need more of a driver than the base does. A tier is used where the
// driver claims what it needs, it is of use there, and a self-test against the reference came out
// right: drivers were known to claim what they do wrong.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/device/vulkan/gpu.h"
#include "engine/device/vulkan/tier_set.h"

namespace hearth::vulkan {

/// What a driver says of itself.
struct Claims {
  bool subgroup_sums = false;  // in compute shaders
  bool dot = false;
  bool fast_dot = false;  // done in hardware
  bool matrices = false;  // cooperative ones, with half-precision numbers and Vulkan's memory model
  FragmentSupport fragments = {};
  bool room_for_matrices = false;  // workgroups and shared memory for a tile
  bool is_software = false;
};

Claims read_claims(const InstanceApi& api, VkPhysicalDevice device);

/// What the driver lacks for a tier; nullptr if nothing.
const char* missing_for(Tier tier, const Claims& claims);

/// Names of tiers with commas between, or "none". Throws Error on another name.
TierSet parse_tiers(const std::string& names);

/// The shader that does what `module` does, with these tiers.
std::string_view shader_for(std::string_view module, TierSet tiers);

struct TierDecision {
  TierSet on;
  std::vector<VulkanTier> reports;  // of all tiers
  FragmentSupport fragments = {};
};

/// Counted up when the self-tests change: what older ones found is then not known.
inline constexpr int kSelfTests = 1;

/// Runs the self-tests that are due, on an opened device of their own. What they find is kept for
/// the next runs of the program (tier_record.h).
TierDecision decide_tiers(const std::shared_ptr<Instance>& instance,
                          const Instance::Physical& physical, const VulkanOptions& options);

/// Workgroups that are enough on the device of a self-test: so small products come in all tiles.
inline constexpr int kSelfTestGroups = 2;

/// What a tier's shaders get wrong on `device`, which uses them; empty if nothing.
/// `pretends_to_lie` spoils the first result.
std::string self_test(Tier tier, Device& device, bool pretends_to_lie);

}  // namespace hearth::vulkan
