// A level's matrix kernels: which codec serves which type, given the level's vectors S (its simd.h)
// and the tile that multiplies quantised types with them.
#pragma once

#include "kernels/generic/codecs_k.h"
#include "kernels/generic/codecs_plain.h"
#include "kernels/generic/float_tile.h"

namespace hearth::kernels {
namespace {

template <class S, class Codec, template <class, class> class Tile>
constexpr MatmulKernel quantised_kernel() {
  return {S::kLanes, Codec::kSubBlocks == 1 ? StripKind::q8_32 : StripKind::q8_128,
          multiply_panels<S, Tile<S, Codec>>};
}

template <class S, template <class, class> class Tile, template <class> class... Codecs>
void install_codecs(KernelTable& table) {
  ((table.matmul[Codecs<S>::kType] = quantised_kernel<S, Codecs<S>, Tile>()), ...);
}

template <class S, template <class, class> class Tile>
void install_matmul_plain(KernelTable& table) {
  install_codecs<S, Tile, CodecQ4_0, CodecQ4_1, CodecQ5_0, CodecQ5_1, CodecQ8_0, CodecIQ4_NL,
                 CodecMXFP4>(table);
}

template <class S, template <class, class> class Tile>
void install_matmul_k(KernelTable& table) {
  install_codecs<S, Tile, CodecQ2_K, CodecQ3_K, CodecQ4_K, CodecQ5_K, CodecQ6_K, CodecIQ4_XS>(
      table);
}

/// F32 and F16.
template <class S>
void install_matmul_float(KernelTable& table) {
  table.matmul[QuantType::F32] = {S::kLanes, StripKind::f32,
                                  multiply_panels<S, FloatTile<S, QuantType::F32>>};
  table.matmul[QuantType::F16] = {S::kLanes, StripKind::f32,
                                  multiply_panels<S, FloatTile<S, QuantType::F16>>};
}

template <class S>
void install_matmul_bf16(KernelTable& table) {
  table.matmul[QuantType::BF16] = {S::kLanes, StripKind::bf16, multiply_panels<S, BFloatTile<S>>};
}

}  // namespace
}  // namespace hearth::kernels
