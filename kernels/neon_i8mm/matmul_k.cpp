#include "kernels/generic/install_matmul.h"
#include "kernels/generic/quantised_tile.h"
#include "kernels/neon_i8mm/parts.h"
#include "kernels/neon_i8mm/simd.h"

namespace hearth::kernels::neon_i8mm {

void install_matmul_k(KernelTable& table) {
  hearth::kernels::install_matmul_k<MatrixSimd, QuantisedTile>(table);
}

}  // namespace hearth::kernels::neon_i8mm
