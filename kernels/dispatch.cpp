#include "kernels/dispatch.h"

#include "kernels/scalar/install.h"

namespace hearth::kernels {
namespace {

bool always() {
  return true;
}

constexpr IsaLevel kLevels[] = {
    {"scalar", always, install_scalar},
};

const IsaLevel* best_level() {
  const IsaLevel* best = kLevels;
  for (const IsaLevel& level : kLevels) {
    if (level.is_supported()) best = &level;
  }
  return best;
}

}  // namespace

IsaLevelRange all_isa_levels() {
  return {kLevels, kLevels + sizeof(kLevels) / sizeof(kLevels[0])};
}

KernelTable make_kernel_table(const IsaLevel* level) {
  KernelTable table;
  for (const IsaLevel* l = kLevels; l <= level; ++l) {
    if (l->is_supported()) l->install(table);
  }
  return table;
}

const KernelTable& scalar_kernels() {
  static const KernelTable kTable = make_kernel_table(kLevels);
  return kTable;
}

const KernelTable& best_kernels() {
  static const KernelTable kTable = make_kernel_table(best_level());
  return kTable;
}

}  // namespace hearth::kernels
