#include "kernels/avx2/parts.h"
#include "kernels/avx2/quantised_tile.h"
#include "kernels/avx2/simd.h"
#include "kernels/generic/install_matmul.h"

namespace hearth::kernels::avx2 {

void install_matmul_plain(KernelTable& table) {
  hearth::kernels::install_matmul_plain<Simd, ShortSumTile>(table);
}

}  // namespace hearth::kernels::avx2
