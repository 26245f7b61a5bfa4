#include "kernels/avx512/parts.h"
#include "kernels/avx512/simd.h"
#include "kernels/generic/float_tile.h"

namespace hearth::kernels::avx512 {

void install_matmul_float(KernelTable& table) {
  table.matmul[QuantType::F32] = {Simd::kLanes, StripKind::f32,
                                  multiply_panels<Simd, FloatTile<Simd, QuantType::F32>>};
  table.matmul[QuantType::F16] = {Simd::kLanes, StripKind::f32,
                                  multiply_panels<Simd, FloatTile<Simd, QuantType::F16>>};
}

}  // namespace hearth::kernels::avx512
