#include "kernels/avx2/parts.h"
#include "kernels/avx2/simd.h"
#include "kernels/generic/install_matmul.h"

namespace hearth::kernels::avx2 {

void install_matmul_float(KernelTable& table) {
  hearth::kernels::install_matmul_float<Simd>(table);
  hearth::kernels::install_matmul_bf16<Simd>(table);
}

}  // namespace hearth::kernels::avx2
