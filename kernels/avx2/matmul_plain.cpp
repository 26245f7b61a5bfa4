#include "kernels/avx2/parts.h"
#include "kernels/avx2/quantised_tile.h"
#include "kernels/avx2/simd.h"
#include "kernels/generic/codecs_plain.h"

namespace hearth::kernels::avx2 {
namespace {

template <template <class> class Codec>
constexpr MatmulKernel kernel() {
  return {Simd::kLanes, StripKind::q8_32, multiply_panels<Simd, ShortSumTile<Codec<Simd>>>};
}

}  // namespace

void install_matmul_plain(KernelTable& table) {
  table.matmul[QuantType::Q4_0] = kernel<CodecQ4_0>();
  table.matmul[QuantType::Q4_1] = kernel<CodecQ4_1>();
  table.matmul[QuantType::Q5_0] = kernel<CodecQ5_0>();
  table.matmul[QuantType::Q5_1] = kernel<CodecQ5_1>();
  table.matmul[QuantType::Q8_0] = kernel<CodecQ8_0>();
  table.matmul[QuantType::IQ4_NL] = kernel<CodecIQ4_NL>();
  table.matmul[QuantType::MXFP4] = kernel<CodecMXFP4>();
}

}  // namespace hearth::kernels::avx2
