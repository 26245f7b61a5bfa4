// Lanes per workgroup and tile sizes that suit a device: powers of two.
#pragma once

#include <cstdint>

#include "engine/device/vulkan/gpu.h"

namespace hearth::vulkan {

struct Tuning {
  bool is_fixed = false;             // lanes are these, however long rows are
  std::uint32_t matvec_lanes = 128;  // at most
  std::uint32_t matvec_rows = 4;     // of a workgroup, which share what is read of x
  bool stages_input = true;          // x of a product in floats goes through shared memory
  std::uint32_t row_lanes = 512;     // norms, argmax: a workgroup per row; at most
  std::uint32_t plain_lanes = 128;   // an invocation per element
  std::uint32_t attention_lanes = 128;
  std::uint32_t merge_lanes = 256;  // of attn_merge
  std::uint32_t tile = 128;         // of gemm, a square; half of it where there are few of them
  std::uint64_t enough_tiles = 96;  // so that most multiprocessors have one
  std::uint32_t micro = 8;          // the part of a tile that a lane has, a square
  /// Workgroups of gemm_matrix that keep a device busy: about two for each core of a large one.
  std::uint32_t busy_groups = 256;
};

Tuning tuning_for(const Gpu& gpu, const VulkanOptions& options);

}  // namespace hearth::vulkan
