#include "kernels/avx2/install.h"

#include "kernels/avx2/parts.h"

namespace hearth::kernels {

void install_avx2(KernelTable& table) {
  avx2::install_attention(table);
  avx2::install_dequantize(table);
  avx2::install_fill_strip(table);
  avx2::install_matmul_k(table);
  avx2::install_matmul_plain(table);
  avx2::install_matmul_float(table);
  avx2::install_rows(table);
  avx2::install_vectors(table);
  avx2::install_ceilings(table);
}

}  // namespace hearth::kernels
