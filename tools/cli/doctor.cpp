#include "tools/cli/doctor.h"

#include <fstream>
#include <string_view>
#include <thread>

#include <nlohmann/json.hpp>

#include "engine/device/cpu/blas.h"
#include "engine/device/cpu/isa.h"
#include "engine/device/thread_pool.h"
#include "kernels/cpu_features.h"

namespace hearth::cli {
namespace {

using kernels::IsaLevel;
using kernels::KernelTable;

/// What follows `key` and a colon in a file of such lines; "" if there is none.
std::string field_of(const char* path, std::string_view key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.rfind(key, 0) != 0) continue;
    const std::size_t colon = line.find(':');
    const std::size_t value = line.find_first_not_of(" \t", colon + 1);
    if (colon != std::string::npos && value != std::string::npos) return line.substr(value);
  }
  return "";
}

/// A line "Key:   123 kB" of /proc/meminfo, in bytes.
std::uint64_t memory_field(std::string_view key) {
  const std::string text = field_of("/proc/meminfo", key);
  return text.empty() ? 0 : std::stoull(text) * 1024;
}

/// The word in brackets: that is how the kernel marks the choice that is made.
std::string transparent_huge_pages() {
  std::ifstream file("/sys/kernel/mm/transparent_hugepage/enabled");
  std::string line;
  std::getline(file, line);
  const std::size_t open = line.find('[');
  const std::size_t close = line.find(']');
  if (open == std::string::npos || close == std::string::npos) return "unknown";
  return line.substr(open + 1, close - open - 1);
}

std::string cpu_name() {
  const std::string name = field_of("/proc/cpuinfo", "model name");
  return name.empty() ? "unknown" : name;
}

std::vector<Feature> features() {
  const kernels::CpuFeatures& cpu = kernels::cpu_features();
  return {{"avx2", cpu.avx2}, {"avx512", cpu.avx512},     {"avx512_bf16", cpu.avx512_bf16},
          {"amx", cpu.amx},   {"neon_dot", cpu.neon_dot}, {"neon_i8mm", cpu.neon_i8mm}};
}

std::vector<LevelState> levels() {
  std::vector<LevelState> states;
  for (const IsaLevel& level : kernels::all_isa_levels()) {
    states.push_back({std::string(level.name), std::string(level.needs), level.is_supported(),
                      &level == &chosen_level()});
  }
  return states;
}

/// The level that the chosen table has `slot` from: the first whose own table has the same there.
template <class Slot>
std::string level_of(Slot slot) {
  for (const IsaLevel& level : kernels::all_isa_levels()) {
    if (slot(kernels::make_kernel_table(&level)) == slot(chosen_kernels())) {
      return std::string(level.name);
    }
  }
  return "";
}

/// The level of a slot that each type has, for all types.
template <class Slot>
std::vector<KernelOf> by_type(Slot slot) {
  std::vector<KernelOf> kernels;
  for (const QuantTypeInfo& info : all_quant_types()) {
    if (!info.is_weight) continue;
    kernels.push_back({std::string(info.name),
                       level_of([&](const KernelTable& table) { return slot(table, info.type); })});
  }
  return kernels;
}

std::vector<KernelOf> ops() {
  std::vector<KernelOf> all;
  const auto add = [&all](const char* what, auto slot) { all.push_back({what, level_of(slot)}); };
  add("quantise activations",
      [](const KernelTable& t) { return t.fill_strip[kernels::StripKind::q8_32]; });
  add("rms_norm", [](const KernelTable& t) { return t.rows.rms_norm; });
  add("layer_norm", [](const KernelTable& t) { return t.rows.layer_norm; });
  add("add", [](const KernelTable& t) { return t.rows.add; });
  add("scale", [](const KernelTable& t) { return t.rows.scale; });
  add("softcap", [](const KernelTable& t) { return t.rows.softcap; });
  add("activation", [](const KernelTable& t) { return t.rows.activate[0]; });
  add("gated activation", [](const KernelTable& t) { return t.rows.glu[0]; });
  add("rope", [](const KernelTable& t) { return t.rows.rope_halves; });
  add("attention", [](const KernelTable& t) { return t.attention.f16; });
  return all;
}

nlohmann::ordered_json as_json(const std::vector<KernelOf>& kernels) {
  nlohmann::ordered_json object = nlohmann::ordered_json::object();
  for (const KernelOf& kernel : kernels) object[kernel.what] = kernel.level;
  return object;
}

}  // namespace

Diagnosis diagnose() {
  return {
      .cpu = cpu_name(),
      .features = features(),
      .hardware_threads = static_cast<int>(std::thread::hardware_concurrency()),
      .default_threads = default_thread_count(),
      .memory_bytes = memory_field("MemTotal"),
      .available_bytes = memory_field("MemAvailable"),
      .huge_pages = transparent_huge_pages(),
      .blas = Blas::find() ? Blas::find()->description() : "",
      .levels = levels(),
      .matmul = by_type(
          [](const KernelTable& table, QuantType type) { return table.matmul[type].multiply; }),
      .prompt_matmul = by_type([](const KernelTable& table, QuantType type) {
        return table.matmul_for(type, kernels::kStripColumns + 1).multiply;
      }),
      .get_rows = by_type(
          [](const KernelTable& table, QuantType type) { return table.dequantize_row[type]; }),
      .ops = ops(),
      .vulkan = list_vulkan_devices(),
  };
}

namespace {

nlohmann::ordered_json tiers_json(const VulkanDeviceInfo& device) {
  auto json = nlohmann::ordered_json::array();
  for (const VulkanTier& tier : tiers_of(device)) {
    json.push_back({{"name", tier.name}, {"on", tier.is_on}, {"why_off", tier.why_off}});
  }
  return json;
}

}  // namespace

std::vector<VulkanTier> tiers_of(const VulkanDeviceInfo& device) {
  if (!device.unusable.empty()) return {};
  return vulkan_tiers({.device = std::to_string(device.index), .test_tiers = true});
}

std::string diagnosis_json(const Diagnosis& found) {
  nlohmann::ordered_json json;
  json["cpu"]["name"] = found.cpu;
  for (const Feature& feature : found.features) {
    json["cpu"]["features"][feature.name] = feature.present;
  }
  json["threads"] = {{"default", found.default_threads}, {"hardware", found.hardware_threads}};
  json["memory"] = {{"total_bytes", found.memory_bytes},
                    {"available_bytes", found.available_bytes},
                    {"huge_pages", found.huge_pages}};
  json["openblas"] = nullptr;
  if (!found.blas.empty()) json["openblas"] = found.blas;
  json["levels"] = nlohmann::ordered_json::array();
  for (const LevelState& level : found.levels) {
    json["levels"].push_back({{"name", level.name},
                              {"needs", level.needs},
                              {"available", level.available},
                              {"chosen", level.chosen}});
    if (level.chosen) json["chosen_level"] = level.name;
  }
  json["kernels"] = {{"matmul", as_json(found.matmul)},
                     {"prompt_matmul", as_json(found.prompt_matmul)},
                     {"get_rows", as_json(found.get_rows)},
                     {"ops", as_json(found.ops)}};
  json["vulkan"] = {{"devices", nlohmann::ordered_json::array()}};
  if (found.vulkan.devices.empty()) json["vulkan"]["why_none"] = found.vulkan.why_none;
  for (const VulkanDeviceInfo& device : found.vulkan.devices) {
    json["vulkan"]["devices"].push_back({{"index", device.index},
                                         {"name", device.name},
                                         {"uuid", device.uuid},
                                         {"kind", device.kind},
                                         {"driver", device.driver},
                                         {"vulkan", device.vulkan},
                                         {"unified_memory", device.is_unified},
                                         {"memory_bytes", device.memory_bytes},
                                         {"free_bytes", device.free_bytes},
                                         {"max_binding_bytes", device.max_binding},
                                         {"tiers", tiers_json(device)},
                                         {"unusable", device.unusable}});
  }
  return json.dump(2);
}

}  // namespace hearth::cli
