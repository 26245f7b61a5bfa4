// Which kernels this machine runs. A level is one folder (scalar/, avx2/ …) and one row of
// the table in levels_<architecture>.cpp; each level overwrites what it improves on the levels
// before it.
#pragma once

#include <cstddef>
#include <string_view>

#include "kernels/kernel_table.h"

namespace hearth::kernels {

struct IsaLevel {
  std::string_view name;   // of the folder, e.g. "scalar"
  std::string_view needs;  // what a machine must have for it, in words
  bool (*is_supported)();  // by this machine
  void (*install)(KernelTable&);
};

/// All levels that were built, the slowest first. The first one is scalar, which every machine has.
struct IsaLevelRange {
  const IsaLevel* first;
  const IsaLevel* last;
  const IsaLevel* begin() const { return first; }
  const IsaLevel* end() const { return last; }
  std::size_t size() const { return static_cast<std::size_t>(last - first); }
};
IsaLevelRange all_isa_levels();

/// The fastest level that this machine supports.
const IsaLevel* best_isa_level();

/// The table of `level` with the supported levels before it. `level` points into all_isa_levels().
KernelTable make_kernel_table(const IsaLevel* level);

/// The statement of what each kernel computes, which every other level must equal.
const KernelTable& scalar_kernels();

/// The fastest table that this machine supports; built once.
const KernelTable& best_kernels();

}  // namespace hearth::kernels
