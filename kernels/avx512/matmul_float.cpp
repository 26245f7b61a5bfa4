#include "kernels/avx512/parts.h"
#include "kernels/avx512/simd.h"
#include "kernels/generic/install_matmul.h"

namespace hearth::kernels::avx512 {

void install_matmul_float(KernelTable& table) {
  hearth::kernels::install_matmul_float<Simd>(table);
}

}  // namespace hearth::kernels::avx512
