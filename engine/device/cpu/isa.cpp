#include "engine/device/cpu/isa.h"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/error.h"

namespace hearth {
namespace {

using kernels::IsaLevel;
using kernels::IsaLevelRange;

std::string names_of(IsaLevelRange levels) {
  std::string names;
  for (const IsaLevel& level : levels) {
    if (!level.is_supported()) continue;
    if (!names.empty()) names += ", ";
    names += level.name;
  }
  return names;
}

[[noreturn]] void refuse(std::string what, const char* name, IsaLevelRange levels) {
  throw Error({.where = "HEARTH_ISA",
               .what = std::move(what),
               .expected = "one of " + names_of(levels),
               .got = name});
}

const IsaLevel& fastest(IsaLevelRange levels) {
  const IsaLevel* best = levels.first;
  for (const IsaLevel& level : levels) {
    if (level.is_supported()) best = &level;
  }
  return *best;
}

std::vector<kernels::KernelTable> tables_of_all_levels() {
  std::vector<kernels::KernelTable> tables;
  for (const IsaLevel& level : kernels::all_isa_levels()) {
    tables.push_back(kernels::make_kernel_table(&level));
  }
  return tables;
}

}  // namespace

const IsaLevel& choose_level(const char* name, IsaLevelRange levels) {
  if (name == nullptr || *name == '\0') return fastest(levels);
  const IsaLevel* level =
      std::find_if(levels.begin(), levels.end(), [&](const IsaLevel& l) { return l.name == name; });
  if (level == levels.end()) refuse("there are no kernels for this", name, levels);
  if (!level->is_supported()) {
    refuse("this machine does not have " + std::string(level->needs), name, levels);
  }
  return *level;
}

const IsaLevel& chosen_level() {
  return choose_level(std::getenv("HEARTH_ISA"));
}

const kernels::KernelTable& kernels_of(const IsaLevel& level) {
  static const std::vector<kernels::KernelTable> kTables = tables_of_all_levels();
  return kTables[static_cast<std::size_t>(&level - kernels::all_isa_levels().first)];
}

const kernels::KernelTable& chosen_kernels() {
  return kernels_of(chosen_level());
}

}  // namespace hearth
