#include "kernels/neon_i8mm/install.h"

#include "kernels/neon_i8mm/parts.h"

namespace hearth::kernels {

void install_neon_i8mm(KernelTable& table) {
  neon_i8mm::install_ceilings(table);
  neon_i8mm::install_matmul_k(table);
  neon_i8mm::install_matmul_plain(table);
}

}  // namespace hearth::kernels
