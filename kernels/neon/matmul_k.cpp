#include "kernels/generic/install_matmul.h"
#include "kernels/generic/quantised_tile.h"
#include "kernels/neon/parts.h"
#include "kernels/neon/simd.h"

namespace hearth::kernels::neon {

void install_matmul_k(KernelTable& table) {
  hearth::kernels::install_matmul_k<Simd, QuantisedTile>(table);
}

}  // namespace hearth::kernels::neon
