#include "kernels/amx/install.h"

#include "kernels/amx/parts.h"

namespace hearth::kernels {

void install_amx(KernelTable& table) {
  amx::install_matmul_k(table);
  amx::install_ceilings(table);
}

}  // namespace hearth::kernels
