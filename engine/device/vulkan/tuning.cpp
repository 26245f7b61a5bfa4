#include "engine/device/vulkan/tuning.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <string_view>

namespace hearth::vulkan {
namespace {

/// A software device runs a lane after the other: few lanes, and nothing that is to spare its
/// memory.
constexpr std::uint32_t kFewLanes = 8;

struct Row {
  std::string_view kind;  // of VulkanDeviceInfo
  Tuning tuning;
};

/// Others are taken for discrete ones. Integrated ones have fewer registers for a lane's sums.
constexpr Row kRows[] = {
    {"discrete", {}},
    {"integrated", {.row_lanes = 256, .tile = 64, .enough_tiles = 0, .micro = 4}},
    {"software",
     {.matvec_lanes = kFewLanes,
      .matvec_rows = 1,
      .stages_input = false,
      .row_lanes = kFewLanes,
      .attention_lanes = kFewLanes,
      .merge_lanes = kFewLanes,
      .tile = 32,
      .enough_tiles = 0,
      .micro = 4}}};

/// Tests that ask for so many lanes get what GPUs have beside, and for so many the largest tiles.
constexpr std::uint32_t kLanesOfGpus = 32;
constexpr std::uint32_t kLanesOfLargeTiles = 128;

/// Shared memory of gemm: a unit of 32 columns of the matrix and of x.
constexpr std::uint32_t kTileBytesPerRow = 2 * 32 * sizeof(float);

Tuning usual_tuning(std::string_view kind) {
  const auto* found = std::find_if(std::begin(kRows), std::end(kRows),
                                   [&](const Row& row) { return row.kind == kind; });
  return found == std::end(kRows) ? kRows[0].tuning : found->tuning;
}

Tuning tuning_of_tests(std::string_view kind, std::uint32_t lanes) {
  Tuning tuning = usual_tuning(lanes >= kLanesOfGpus ? kRows[0].kind : kind);
  tuning.is_fixed = true;
  tuning.matvec_lanes = tuning.row_lanes = tuning.plain_lanes = lanes;
  tuning.attention_lanes = tuning.merge_lanes = lanes;
  tuning.enough_tiles = lanes >= kLanesOfLargeTiles ? 0 : std::numeric_limits<std::uint64_t>::max();
  return tuning;
}

}  // namespace

Tuning tuning_for(const Gpu& gpu, const VulkanOptions& options) {
  const std::string_view kind = gpu.info().kind;
  Tuning tuning = options.workgroup > 0
                      ? tuning_of_tests(kind, static_cast<std::uint32_t>(options.workgroup))
                      : usual_tuning(kind);
  if (options.busy_groups > 0) tuning.busy_groups = static_cast<std::uint32_t>(options.busy_groups);
  const VkPhysicalDeviceLimits& limits = gpu.limits();
  const std::uint32_t most =
      std::min(limits.maxComputeWorkGroupInvocations, limits.maxComputeWorkGroupSize[0]);
  const auto fits = [&] {
    const std::uint32_t across = tuning.tile / tuning.micro;
    return across * across <= most &&
           kTileBytesPerRow * tuning.tile <= limits.maxComputeSharedMemorySize;
  };
  while (!fits() && tuning.tile > tuning.micro) tuning.tile /= 2;
  tuning.row_lanes = std::min(tuning.row_lanes, most);
  tuning.merge_lanes = std::min(tuning.merge_lanes, most);
  return tuning;
}

}  // namespace hearth::vulkan
