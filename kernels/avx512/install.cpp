#include "kernels/avx512/install.h"

#include "kernels/avx512/parts.h"
#include "kernels/cpu_features.h"

namespace hearth::kernels {

void install_avx512(KernelTable& table) {
  avx512::install_attention(table);
  avx512::install_dequantize(table);
  avx512::install_fill_strip(table);
  avx512::install_rows(table);
  avx512::install_vectors(table);
  avx512::install_matmul_k(table);
  avx512::install_matmul_plain(table);
  avx512::install_matmul_float(table);
  avx512::install_ceilings(table);
  if (!cpu_features().avx512_bf16) return;
  avx512::install_matmul_bf16(table);
  avx512::install_ceiling_bf16(table);
}

}  // namespace hearth::kernels
