// The vector operations of NEON with the instructions that multiply matrices of bytes (smmla).
#pragma once

#include "kernels/neon/simd.h"

namespace hearth::kernels {
namespace {

struct MatrixSimd : Simd {
  static constexpr Products kProducts = Products::of_pairs;

  /// Lanes a0 b0 a1 b1, and a2 b2 a3 b3: of two quads of four rows, both of rows 0 and 1, of 2
  /// and 3.
  static Int interleave_low(Int a, Int b) { return vzip1q_u32(a, b); }
  static Int interleave_high(Int a, Int b) { return vzip2q_u32(a, b); }
  /// A quad of two columns, in the first two lanes.
  static Int load_two(const std::int8_t* x) {
    return vcombine_u32(vreinterpret_u32_s8(vld1_s8(x)), vdup_n_u32(0));
  }
  /// acc [2][2] + the products of eight bytes of two rows with those of two columns.
  static Int multiply_pair(Int acc, Int rows, Int columns) {
    return vreinterpretq_u32_s32(vmmlaq_s32(vreinterpretq_s32_u32(acc), vreinterpretq_s8_u32(rows),
                                            vreinterpretq_s8_u32(columns)));
  }
  /// The first column of two such sums, of four rows then, and the second.
  static Int even_lanes(Int a, Int b) { return vuzp1q_u32(a, b); }
  static Int odd_lanes(Int a, Int b) { return vuzp2q_u32(a, b); }
};

}  // namespace
}  // namespace hearth::kernels
