#include "kernels/dispatch.h"

namespace hearth::kernels {

const IsaLevel* best_isa_level() {
  const IsaLevel* best = all_isa_levels().first;
  for (const IsaLevel& level : all_isa_levels()) {
    if (level.is_supported()) best = &level;
  }
  return best;
}

KernelTable make_kernel_table(const IsaLevel* level) {
  KernelTable table;
  for (const IsaLevel* l = all_isa_levels().first; l <= level; ++l) {
    if (l->is_supported()) l->install(table);
  }
  return table;
}

const KernelTable& scalar_kernels() {
  static const KernelTable kTable = make_kernel_table(all_isa_levels().first);
  return kTable;
}

const KernelTable& best_kernels() {
  static const KernelTable kTable = make_kernel_table(best_isa_level());
  return kTable;
}

}  // namespace hearth::kernels
