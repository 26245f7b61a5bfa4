#include "kernels/avx2/parts.h"
#include "kernels/avx2/quantised_tile.h"
#include "kernels/avx2/simd.h"
#include "kernels/generic/codecs_k.h"

namespace hearth::kernels::avx2 {
namespace {

template <template <class> class Codec>
constexpr MatmulKernel kernel() {
  return {Simd::kLanes, StripKind::q8_128, multiply_panels<Simd, ShortSumTile<Codec<Simd>>>};
}

}  // namespace

void install_matmul_k(KernelTable& table) {
  table.matmul[QuantType::Q2_K] = kernel<CodecQ2_K>();
  table.matmul[QuantType::Q3_K] = kernel<CodecQ3_K>();
  table.matmul[QuantType::Q4_K] = kernel<CodecQ4_K>();
  table.matmul[QuantType::Q5_K] = kernel<CodecQ5_K>();
  table.matmul[QuantType::Q6_K] = kernel<CodecQ6_K>();
  table.matmul[QuantType::IQ4_XS] = kernel<CodecIQ4_XS>();
}

}  // namespace hearth::kernels::avx2
