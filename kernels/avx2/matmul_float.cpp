#include "kernels/avx2/parts.h"
#include "kernels/avx2/simd.h"
#include "kernels/generic/float_tile.h"

namespace hearth::kernels::avx2 {

void install_matmul_float(KernelTable& table) {
  table.matmul[QuantType::F32] = {Simd::kLanes, StripKind::f32,
                                  multiply_panels<Simd, FloatTile<Simd, QuantType::F32>>};
  table.matmul[QuantType::F16] = {Simd::kLanes, StripKind::f32,
                                  multiply_panels<Simd, FloatTile<Simd, QuantType::F16>>};
  table.matmul[QuantType::BF16] = {Simd::kLanes, StripKind::bf16,
                                   multiply_panels<Simd, BFloatTile<Simd>>};
}

}  // namespace hearth::kernels::avx2
