#include "kernels/generic/install_matmul.h"
#include "kernels/generic/quantised_tile.h"
#include "kernels/neon/parts.h"
#include "kernels/neon/simd.h"

namespace hearth::kernels::neon {

void install_matmul_plain(KernelTable& table) {
  hearth::kernels::install_matmul_plain<Simd, QuantisedTile>(table);
}

}  // namespace hearth::kernels::neon
