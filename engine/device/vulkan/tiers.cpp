#include "engine/device/vulkan/tiers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>

#include "base/error.h"
#include "engine/device/vulkan/compute_device.h"
#include "engine/device/vulkan/tier_record.h"

namespace hearth::vulkan {
namespace {

constexpr const char* kVariable = "HEARTH_VULKAN_TIERS";

/// Something in words; nullptr if there is nothing to say.
using Reason = const char* (*)(const Claims&);

const char* missing_for_subgroups(const Claims& claims) {
  return claims.subgroup_sums ? nullptr : "the driver has no sums over subgroups";
}

const char* useless_subgroups(const Claims& claims) {
  return claims.is_software ? "a software device gains nothing by it" : nullptr;
}

const char* missing_for_dot(const Claims& claims) {
  return claims.dot ? nullptr : "the driver has no dot products of bytes";
}

const char* useless_dot(const Claims& claims) {
  return claims.fast_dot ? nullptr : "the device has no instruction for dot products of bytes";
}

const char* missing_for_matrices(const Claims& claims) {
  if (!claims.matrices) return "the driver has no cooperative matrices";
  if (claims.fragments.size.m == 0)
    return "the driver has no cooperative matrices of a size that the shaders take, halves with "
           "sums in floats";
  if (claims.fragments.lanes == 0) return "the driver has no subgroups of one width";
  if (!claims.room_for_matrices) return "the driver has no workgroups that are large enough";
  return nullptr;
}

const char* useless_matrices(const Claims& claims) {
  return claims.is_software ? "a software device gains nothing by it" : nullptr;
}

struct TierRow {
  Tier tier;
  const char* name;
  const char* what;
  bool rounds_inputs;
  Reason missing;  // then it cannot be used
  Reason useless;  // then it is used only when it is named
};

constexpr TierRow kTiers[] = {
    {Tier::subgroup, "subgroup", "sums over subgroups: products with few columns, norms, routers",
     false, missing_for_subgroups, useless_subgroups},
    {Tier::dot, "dot", "products in integers, for which activations become bytes", true,
     missing_for_dot, useless_dot},
    {Tier::matrix, "matrix",
     "products and attention of prompts on cooperative matrices in half precision", true,
     missing_for_matrices, useless_matrices},
};

/// Shaders, and their variants that need sums over subgroups.
constexpr std::pair<std::string_view, std::string_view> kSubgroupShaders[] = {
    {"matvec", "matvec_subgroup"},
    {"expert_matvec", "expert_matvec_subgroup"},
    {"matvec_dot", "matvec_dot_subgroup"},
    {"expert_matvec_dot", "expert_matvec_dot_subgroup"},
    {"norm", "norm_subgroup"},
    {"route", "route_subgroup"},
};

std::vector<std::string> extension_names(const InstanceApi& api, VkPhysicalDevice device) {
  std::uint32_t n = 0;
  api.EnumerateDeviceExtensionProperties(device, nullptr, &n, nullptr);
  std::vector<VkExtensionProperties> extensions(n);
  api.EnumerateDeviceExtensionProperties(device, nullptr, &n, extensions.data());
  std::vector<std::string> names;
  for (const VkExtensionProperties& extension : extensions)
    names.emplace_back(extension.extensionName);
  return names;
}

void read_dot(const InstanceApi& api, VkPhysicalDevice device, Claims& claims) {
  auto feature = vk_struct<VkPhysicalDeviceShaderIntegerDotProductFeatures>(
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_FEATURES);
  auto features =
      vk_struct<VkPhysicalDeviceFeatures2>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2);
  features.pNext = &feature;
  api.GetPhysicalDeviceFeatures2(device, &features);
  auto property = vk_struct<VkPhysicalDeviceShaderIntegerDotProductProperties>(
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_PROPERTIES);
  auto properties =
      vk_struct<VkPhysicalDeviceProperties2>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2);
  properties.pNext = &property;
  api.GetPhysicalDeviceProperties2(device, &properties);
  claims.dot = feature.shaderIntegerDotProduct == VK_TRUE;
  claims.fast_dot = property.integerDotProduct4x8BitPackedSignedAccelerated == VK_TRUE;
}

/// The sizes of those with factors in half precision and sums in floats.
std::vector<Fragment> fragment_sizes(const InstanceApi& api, VkPhysicalDevice device) {
  const auto query = api.GetPhysicalDeviceCooperativeMatrixPropertiesKHR;
  std::uint32_t n = 0;
  if (!query || query(device, &n, nullptr) != VK_SUCCESS) return {};
  std::vector<VkCooperativeMatrixPropertiesKHR> kinds(
      n, vk_struct<VkCooperativeMatrixPropertiesKHR>(
             VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_PROPERTIES_KHR));
  if (query(device, &n, kinds.data()) != VK_SUCCESS) return {};
  std::vector<Fragment> sizes;
  for (const VkCooperativeMatrixPropertiesKHR& kind : kinds) {
    const bool is_it = kind.AType == VK_COMPONENT_TYPE_FLOAT16_KHR &&
                       kind.BType == VK_COMPONENT_TYPE_FLOAT16_KHR &&
                       kind.CType == VK_COMPONENT_TYPE_FLOAT32_KHR &&
                       kind.ResultType == VK_COMPONENT_TYPE_FLOAT32_KHR &&
                       kind.scope == VK_SCOPE_SUBGROUP_KHR;
    if (is_it) sizes.push_back({.m = kind.MSize, .n = kind.NSize, .k = kind.KSize});
  }
  return sizes;
}

/// Of subgroups that may be of several widths the narrowest are asked for: the ones that matrix
/// units are made for (Intel's 16, AMD's 32).
void read_lanes(const InstanceApi& api, VkPhysicalDevice device,
                const VkPhysicalDeviceSubgroupProperties& subgroup,
                const VkPhysicalDeviceSubgroupSizeControlPropertiesEXT& range,
                FragmentSupport& fragments) {
  auto width = vk_struct<VkPhysicalDeviceSubgroupSizeControlFeaturesEXT>(
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES_EXT);
  auto features =
      vk_struct<VkPhysicalDeviceFeatures2>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2);
  if (range.maxSubgroupSize > 0) features.pNext = &width;  // the driver has the extension
  api.GetPhysicalDeviceFeatures2(device, &features);
  fragments.asks_for_lanes = width.subgroupSizeControl == VK_TRUE &&
                             width.computeFullSubgroups == VK_TRUE &&
                             (range.requiredSubgroupSizeStages & VK_SHADER_STAGE_COMPUTE_BIT) != 0;
  if (fragments.asks_for_lanes) {
    fragments.lanes = range.minSubgroupSize;
  } else if (range.minSubgroupSize == range.maxSubgroupSize) {
    fragments.lanes = subgroup.subgroupSize;
  }
}

void read_matrices(const InstanceApi& api, VkPhysicalDevice device, Claims& claims) {
  auto matrix = vk_struct<VkPhysicalDeviceCooperativeMatrixFeaturesKHR>(
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR);
  auto model = vk_struct<VkPhysicalDeviceVulkanMemoryModelFeatures>(
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_MEMORY_MODEL_FEATURES);
  auto half = vk_struct<VkPhysicalDeviceShaderFloat16Int8Features>(
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_FLOAT16_INT8_FEATURES);
  matrix.pNext = &model;
  model.pNext = &half;
  auto features =
      vk_struct<VkPhysicalDeviceFeatures2>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2);
  features.pNext = &matrix;
  api.GetPhysicalDeviceFeatures2(device, &features);
  claims.matrices = matrix.cooperativeMatrix == VK_TRUE && model.vulkanMemoryModel == VK_TRUE &&
                    half.shaderFloat16 == VK_TRUE;
  claims.fragments.size = best_fragment(fragment_sizes(api, device));
}

/// What the person asks for: nothing, or these tiers and no others.
std::optional<TierSet> wished_tiers(const VulkanOptions& options) {
  const char* variable = std::getenv(kVariable);
  if (!options.tiers.empty()) return parse_tiers(options.tiers);
  if (variable && *variable) return parse_tiers(variable);
  return std::nullopt;
}

/// What a self-test found: nothing, or what is wrong.
struct Finding {
  std::string fault = {};
  bool is_of_shaders = true;  // else the test could not be run, this time
};

Finding run_self_test(const std::shared_ptr<Instance>& instance, const Instance::Physical& physical,
                      const VulkanOptions& options, Tier tier, const TierDecision& decision) {
  try {
    const VulkanOptions usual = {.staging_bytes = 1 << 16,
                                 .partial_bytes = 1 << 20,
                                 .cache_folder = options.cache_folder,
                                 .use_cache = options.use_cache,
                                 .workgroup = options.workgroup,
                                 .busy_groups = kSelfTestGroups};
    ComputeDevice device(instance, physical, usual, decision);
    return {.fault = self_test(tier, device, options.lying_tier == tier_name(tier))};
  } catch (const Error& error) {
    return {.fault = error.what(), .is_of_shaders = false};
  }
}

/// Empty if the tier's shaders do what they should: as known in this process, from an earlier one,
/// or from the self-test.
std::string fault_of(const std::shared_ptr<Instance>& instance, const Instance::Physical& physical,
                     const VulkanOptions& options, Tier tier, const TierDecision& decision) {
  static std::mutex mutex;
  static std::map<std::string, std::string> known;
  const bool lies = options.lying_tier == tier_name(tier);
  const std::string test = fmt::format("{} {} {} {}", tier_name(tier), decision.on.bits(),
                                       options.workgroup, kSelfTests);
  const std::string key =
      fmt::format("{} {} {} {}", physical.info.uuid, physical.info.driver, test, lies);
  const std::lock_guard lock(mutex);
  const auto found = known.find(key);
  if (found != known.end() && !options.test_tiers) return found->second;
  VkPhysicalDeviceProperties properties{};
  instance->api().GetPhysicalDeviceProperties(physical.handle, &properties);
  TierRecord record(lies ? KeptFile("", "")
                         : KeptFile("tiers", options, physical.info, properties));
  const std::optional<std::string> recorded = record.fault_of(test);
  if (recorded && !options.test_tiers) {
    return known[key] = recorded->empty()
                            ? ""
                            : *recorded + " (in an earlier run; hearth doctor tests anew)";
  }
  const Finding finding = run_self_test(instance, physical, options, tier, decision);
  if (finding.is_of_shaders) record.keep(test, finding.fault);
  return known[key] = finding.fault;
}

}  // namespace

const char* tier_name(Tier tier) {
  const auto* found = std::find_if(std::begin(kTiers), std::end(kTiers),
                                   [&](const TierRow& row) { return row.tier == tier; });
  return found->name;
}

const char* missing_for(Tier tier, const Claims& claims) {
  const auto* found = std::find_if(std::begin(kTiers), std::end(kTiers),
                                   [&](const TierRow& row) { return row.tier == tier; });
  return found->missing(claims);
}

Claims read_claims(const InstanceApi& api, VkPhysicalDevice device) {
  const std::vector<std::string> extensions = extension_names(api, device);
  const auto has = [&](const char* name) {
    return std::find(extensions.begin(), extensions.end(), name) != extensions.end();
  };
  auto subgroup = vk_struct<VkPhysicalDeviceSubgroupProperties>(
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES);
  auto range = vk_struct<VkPhysicalDeviceSubgroupSizeControlProperties>(
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_PROPERTIES);
  if (has(VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME)) subgroup.pNext = &range;
  auto properties =
      vk_struct<VkPhysicalDeviceProperties2>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2);
  properties.pNext = &subgroup;
  api.GetPhysicalDeviceProperties2(device, &properties);
  const VkPhysicalDeviceLimits& limits = properties.properties.limits;
  Claims claims;
  claims.is_software = properties.properties.deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU;
  claims.subgroup_sums = (subgroup.supportedStages & VK_SHADER_STAGE_COMPUTE_BIT) != 0 &&
                         (subgroup.supportedOperations & VK_SUBGROUP_FEATURE_ARITHMETIC_BIT) != 0;
  read_lanes(api, device, subgroup, range, claims.fragments);
  if (has(VK_KHR_SHADER_INTEGER_DOT_PRODUCT_EXTENSION_NAME)) read_dot(api, device, claims);
  if (has(VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME) &&
      has(VK_KHR_VULKAN_MEMORY_MODEL_EXTENSION_NAME) &&
      has(VK_KHR_SHADER_FLOAT16_INT8_EXTENSION_NAME)) {
    read_matrices(api, device, claims);
  }
  const std::uint32_t lanes = most_subgroups(claims.fragments.size) * claims.fragments.lanes;
  claims.room_for_matrices = limits.maxComputeWorkGroupInvocations >= lanes &&
                             limits.maxComputeWorkGroupSize[0] >= lanes &&
                             limits.maxComputeSharedMemorySize >= least_matrix_bytes();
  return claims;
}

TierSet parse_tiers(const std::string& names) {
  TierSet tiers;
  if (names == "none") return tiers;
  std::string all;
  for (const TierRow& row : kTiers) all += fmt::format("{}{}", all.empty() ? "" : ", ", row.name);
  for (std::size_t at = 0; at <= names.size();) {
    const std::size_t end = std::min(names.find(',', at), names.size());
    const std::string name = names.substr(at, end - at);
    const auto* found = std::find_if(std::begin(kTiers), std::end(kTiers),
                                     [&](const TierRow& row) { return row.name == name; });
    if (found == std::end(kTiers)) {
      throw Error(Error::Parts{.where = kVariable,
                               .what = "there is no such tier of shaders",
                               .expected = "none, or some of " + all + " with commas between",
                               .got = name});
    }
    tiers.add(found->tier);
    at = end + 1;
  }
  return tiers;
}

std::string_view shader_for(std::string_view module, TierSet tiers) {
  if (!tiers.has(Tier::subgroup)) return module;
  const auto* found = std::find_if(std::begin(kSubgroupShaders), std::end(kSubgroupShaders),
                                   [&](const auto& row) { return row.first == module; });
  return found == std::end(kSubgroupShaders) ? module : found->second;
}

TierDecision decide_tiers(const std::shared_ptr<Instance>& instance,
                          const Instance::Physical& physical, const VulkanOptions& options) {
  const Claims claims = read_claims(instance->api(), physical.handle);
  const std::optional<TierSet> wish = wished_tiers(options);
  TierDecision decision;
  decision.fragments = claims.fragments;
  for (const TierRow& row : kTiers) {
    VulkanTier report{.name = row.name, .what = row.what, .rounds_inputs = row.rounds_inputs};
    const char* useless = row.useless(claims);
    const bool is_named = wish && wish->has(row.tier);
    if (wish && !is_named) {
      report.why_off = "not among the tiers that were asked for";
    } else if (const char* lack = row.missing(claims)) {
      report.why_off = lack;
      report.is_unexpected = is_named;
    } else if (useless && !is_named) {
      report.why_off = useless;
    } else {
      TierDecision with = {.on = decision.on, .reports = {}, .fragments = decision.fragments};
      with.on.add(row.tier);
      const std::string fault = fault_of(instance, physical, options, row.tier, with);
      if (fault.empty()) decision.on = with.on;
      report.is_on = fault.empty();
      report.is_unexpected = !fault.empty();
      if (!fault.empty()) report.why_off = "its self-test failed: " + fault;
    }
    decision.reports.push_back(report);
  }
  return decision;
}

}  // namespace hearth::vulkan
