// hearth doctor: what this machine has, and which kernels serve each op.
#include <fmt/format.h>

#include <memory>

#include "tools/cli/command_line.h"
#include "tools/cli/commands.h"
#include "tools/cli/doctor.h"
#include "tools/cli/units.h"

namespace hearth::cli {
namespace {

/// "avx512: F32, F16 …", a line per level, for what has a kernel per type.
void print_by_level(const char* what, const std::vector<KernelOf>& kernels) {
  for (const kernels::IsaLevel& level : kernels::all_isa_levels()) {
    std::string names;
    for (const KernelOf& kernel : kernels) {
      if (kernel.level == level.name) names += (names.empty() ? "" : ", ") + kernel.what;
    }
    if (!names.empty()) fmt::print("  {:<14} {:<8} {}\n", what, level.name, names);
  }
}

void print_vulkan(const VulkanListing& found) {
  if (found.devices.empty()) fmt::print("Vulkan         none: {}\n", found.why_none);
  for (const VulkanDeviceInfo& device : found.devices) {
    fmt::print("Vulkan {}       {} ({}{})\n", device.index, device.name, device.kind,
               device.is_software ? ": used only when it is named" : "");
    fmt::print("  {:<12} {}\n", "uuid", device.uuid);
    fmt::print("  {:<12} {}, Vulkan {}\n", "driver", device.driver, device.vulkan);
    fmt::print("  {:<12} {}{}, {} free\n", "memory", bytes_text(device.memory_bytes),
               device.is_unified ? " shared with the host" : "", bytes_text(device.free_bytes));
    fmt::print("  {:<12} {}\n", "shaders",
               device.unusable.empty()
                   ? "plain words, float arithmetic: every op, every weight type"
                   : "none: " + device.unusable);
    for (const VulkanTier& tier : tiers_of(device)) {
      fmt::print("  {:<12} {}\n", tier.name,
                 tier.is_on ? "on: " + tier.what : "off: " + tier.why_off);
    }
  }
}

void print_text(const Diagnosis& found) {
  fmt::print("CPU            {}\n", found.cpu);
  for (const Feature& feature : found.features) {
    fmt::print("  {:<12} {}\n", feature.name, feature.present ? "yes" : "no");
  }
  fmt::print("Threads        {} by default, {} in hardware\n", found.default_threads,
             found.hardware_threads);
  fmt::print("Memory         {}, {} available\n", bytes_text(found.memory_bytes),
             bytes_text(found.available_bytes));
  fmt::print("Huge pages     {}\n", found.huge_pages);
  fmt::print("OpenBLAS       {}\n",
             found.blas.empty() ? "not found (--blas can do without)" : found.blas);
  fmt::print("Kernel levels\n");
  for (const LevelState& level : found.levels) {
    fmt::print("  {:<12} {}\n", level.name,
               level.chosen      ? "chosen"
               : level.available ? "available"
                                 : "not here: needs " + level.needs);
  }
  fmt::print("Kernels\n");
  print_by_level("matmul", found.matmul);
  print_by_level("matmul, prompt", found.prompt_matmul);
  print_by_level("get_rows", found.get_rows);
  print_by_level("other ops", found.ops);
  print_vulkan(found.vulkan);
}

}  // namespace

void add_doctor(CommandLine& line) {
  auto json = std::make_shared<bool>(false);
  Command command =
      line.command("doctor", "What this machine has, and which kernels serve each op");
  command.flag("--json", *json, "Print JSON");
  command.runs([json] {
    const Diagnosis found = diagnose();
    if (*json) {
      fmt::print("{}\n", diagnosis_json(found));
    } else {
      print_text(found);
    }
  });
}

}  // namespace hearth::cli
