// What `hearth doctor` finds out.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/device/vulkan/vulkan.h"
#include "kernels/dispatch.h"

namespace hearth::cli {

struct Feature {
  std::string name;
  bool present;
};

struct LevelState {
  std::string name;
  std::string needs;  // what a machine must have for it
  bool available;
  bool chosen;
};

/// Which level's kernel serves an op, or an op on one quant type.
struct KernelOf {
  std::string what;
  std::string level;
};

struct Diagnosis {
  std::string cpu;  // its name
  std::vector<Feature> features;
  int hardware_threads = 0;
  int default_threads = 0;
  std::uint64_t memory_bytes = 0;
  std::uint64_t available_bytes = 0;
  std::string huge_pages;  // always, madvise, never or unknown
  std::string blas;        // what OpenBLAS says of itself; "": not there
  std::vector<LevelState> levels;
  std::vector<KernelOf> matmul;         // by quant type, for a few columns
  std::vector<KernelOf> prompt_matmul;  // the same for many
  std::vector<KernelOf> get_rows;       // by quant type
  std::vector<KernelOf> ops;
  VulkanListing vulkan;
};

/// Throws Error if HEARTH_ISA names a level that is not to be had.
Diagnosis diagnose();

/// None for a device that cannot be used.
std::vector<VulkanTier> tiers_of(const VulkanDeviceInfo& device);

std::string diagnosis_json(const Diagnosis& found);

}  // namespace hearth::cli
