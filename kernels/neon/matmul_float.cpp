#include "kernels/generic/install_matmul.h"
#include "kernels/neon/parts.h"
#include "kernels/neon/simd.h"

namespace hearth::kernels::neon {

void install_matmul_float(KernelTable& table) {
  hearth::kernels::install_matmul_float<Simd>(table);
  hearth::kernels::install_matmul_bf16<Simd>(table);
}

}  // namespace hearth::kernels::neon
