#include "kernels/generic/float_tile.h"
#include "kernels/neon/parts.h"
#include "kernels/neon/simd.h"

namespace hearth::kernels::neon {

void install_matmul_float(KernelTable& table) {
  table.matmul[QuantType::F32] = {Simd::kLanes, StripKind::f32,
                                  multiply_panels<Simd, FloatTile<Simd, QuantType::F32>>};
  table.matmul[QuantType::F16] = {Simd::kLanes, StripKind::f32,
                                  multiply_panels<Simd, FloatTile<Simd, QuantType::F16>>};
  table.matmul[QuantType::BF16] = {Simd::kLanes, StripKind::bf16,
                                   multiply_panels<Simd, BFloatTile<Simd>>};
}

}  // namespace hearth::kernels::neon
