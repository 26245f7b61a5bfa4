#include "kernels/avx512/parts.h"
#include "kernels/avx512/simd.h"
#include "kernels/generic/install_matmul.h"
#include "kernels/generic/quantised_tile.h"

namespace hearth::kernels::avx512 {

void install_matmul_plain(KernelTable& table) {
  hearth::kernels::install_matmul_plain<Simd, QuantisedTile>(table);
}

}  // namespace hearth::kernels::avx512
