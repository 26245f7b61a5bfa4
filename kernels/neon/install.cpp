#include "kernels/neon/install.h"

#include "kernels/neon/parts.h"

namespace hearth::kernels {

void install_neon(KernelTable& table) {
  neon::install_attention(table);
  neon::install_dequantize(table);
  neon::install_fill_strip(table);
  neon::install_rows(table);
  neon::install_vectors(table);
  neon::install_matmul_k(table);
  neon::install_matmul_plain(table);
  neon::install_matmul_float(table);
  neon::install_ceilings(table);
}

}  // namespace hearth::kernels
