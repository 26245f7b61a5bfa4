// The vector operations that the kernels in generic/ are written in, for NEON with the dot product
// instructions.
//
// In an unnamed namespace, as everything in this folder but the install function: code that was
// compiled for this level must never be merged with that of another.
#pragma once

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>

#include "kernels/generic/products.h"

namespace hearth::kernels {
namespace {

struct Simd {
  static constexpr int kLanes = 4;
  /// Columns of a strip that a tile works on at once: their sums and running sums stay in
  /// registers.
  static constexpr int kMostColumns = 6;
  /// Whether dot() takes all of 0..255. It does not: sdot takes signed bytes.
  static constexpr bool kFullRangeDot = false;
  static constexpr Products kProducts = Products::of_columns;

  using Int = uint32x4_t;  // 4 32-bit integers, or 16 bytes, or 8 16-bit integers
  using Float = float32x4_t;

  static Int zero() { return vdupq_n_u32(0); }
  static Int set(std::int32_t v) { return vdupq_n_u32(static_cast<std::uint32_t>(v)); }
  static Int load(const std::byte* p) { return vreinterpretq_u32_u8(vld1q_u8(bytes(p))); }
  static Int load_u16(const std::byte* p) {
    return vmovl_u16(vreinterpret_u16_u8(vld1_u8(bytes(p))));
  }
  static Int load_u8(const std::byte* p) {
    std::uint32_t four;
    __builtin_memcpy(&four, p, sizeof four);
    return vmovl_u16(vget_low_u16(vmovl_u8(vcreate_u8(four))));
  }
  static Int broadcast(const std::int32_t* p) { return set(*p); }

  static Int add(Int a, Int b) { return vaddq_u32(a, b); }
  static Int sub(Int a, Int b) { return vsubq_u32(a, b); }
  static Int mul(Int a, Int b) { return vmulq_u32(a, b); }
  static Int bit_and(Int a, Int b) { return vandq_u32(a, b); }
  static Int bit_or(Int a, Int b) { return vorrq_u32(a, b); }
  static Int bit_xor(Int a, Int b) { return veorq_u32(a, b); }
  template <int n>
  static Int shift_left(Int a) {
    return a << n;
  }
  template <int n>
  static Int shift_right(Int a) {
    return a >> n;
  }
  /// By a number that is known only after unrolling.
  static Int shift_left(Int a, int n) { return a << n; }
  static Int shift_right(Int a, int n) { return a >> n; }
  static Int shift_right_signed(Int a, int n) {
    return vreinterpretq_u32_s32(vreinterpretq_s32_u32(a) >> n);
  }

  /// Each byte 0..15 becomes that entry of a table of 16 bytes.
  static Int look_up(Int table, Int index) {
    return vreinterpretq_u32_u8(
        vqtbl1q_u8(vreinterpretq_u8_u32(table), vreinterpretq_u8_u32(index)));
  }
  static Int table(const std::int8_t* p) { return vreinterpretq_u32_s8(vld1q_s8(p)); }

  /// acc + the sum of four products of a lane: bytes -128..127 of w, the four quants at x.
  static Int dot(Int acc, Int w, const std::int8_t* x) {
    std::int32_t four;
    __builtin_memcpy(&four, x, sizeof four);
    return add_products(acc, w, vreinterpretq_s8_s32(vdupq_n_s32(four)));
  }
  /// The same for columns that stand side by side at x: the instruction takes four quants out of a
  /// register that holds those of four columns.
  template <int kColumns>
  static void dot_columns(Int (&acc)[kColumns], Int w, const std::int8_t* x) {
    constexpr int kFours = kColumns / 4 * 4;
    const int8x16_t rows = vreinterpretq_s8_u32(w);
    for (int c = 0; c < kFours; c += 4) {
      const int8x16_t four = vld1q_s8(x + 4 * c);
      acc[c] = sums(vdotq_laneq_s32(signed_sums(acc[c]), rows, four, 0));
      acc[c + 1] = sums(vdotq_laneq_s32(signed_sums(acc[c + 1]), rows, four, 1));
      acc[c + 2] = sums(vdotq_laneq_s32(signed_sums(acc[c + 2]), rows, four, 2));
      acc[c + 3] = sums(vdotq_laneq_s32(signed_sums(acc[c + 3]), rows, four, 3));
    }
    for (int c = kFours; c < kColumns; ++c) acc[c] = dot(acc[c], w, x + 4 * c);
  }

  // The same for signed bytes.
  static Int signed_operand(Int w) { return w; }
  static Int signed_start(Int) { return zero(); }
  static Int signed_dot(Int acc, Int w, const std::int8_t* x) { return dot(acc, w, x); }

  /// acc + the sum of two products of a lane: 16-bit integers of a, the two at b.
  static Int dot_pairs(Int acc, Int a, const std::uint32_t* b) {
    const int16x8_t factors = vreinterpretq_s16_u32(a);
    const int16x8_t pairs = vreinterpretq_s16_u32(vdupq_n_u32(*b));
    const int32x4_t products = vpaddq_s32(vmull_s16(vget_low_s16(factors), vget_low_s16(pairs)),
                                          vmull_high_s16(factors, pairs));
    return add(acc, vreinterpretq_u32_s32(products));
  }

  static Float zero_float() { return vdupq_n_f32(0.0F); }
  static Float to_float(Int a) { return vcvtq_f32_s32(vreinterpretq_s32_u32(a)); }
  static Float as_float(Int bits) { return vreinterpretq_f32_u32(bits); }
  static Float load_float(const std::byte* p) { return vreinterpretq_f32_u8(vld1q_u8(bytes(p))); }
  static Float load_half(const std::byte* p) {
    return vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(bytes(p))));
  }
  static Float broadcast(const float* p) { return vdupq_n_f32(*p); }
  static Float set_float(float v) { return vdupq_n_f32(v); }
  static Float mul(Float a, Float b) { return vmulq_f32(a, b); }
  static Float negated(Float a) { return vnegq_f32(a); }
  static Float add(Float a, Float b) { return vaddq_f32(a, b); }
  static Float fma(Float a, Float b, Float c) { return vfmaq_f32(c, a, b); }

  /// acc + the products of a pair of bfloat16 in each lane of w and the pair at x, the later one
  /// first. A bfloat16 is the upper half of a float.
  static Float dot_bf16(Float acc, Int w, const std::uint32_t* x) {
    const Int pair = vdupq_n_u32(*x);
    const Int late = vdupq_n_u32(0xffff0000u);
    acc = fma(as_float(bit_and(w, late)), as_float(bit_and(pair, late)), acc);
    return fma(as_float(shift_left<16>(w)), as_float(shift_left<16>(pair)), acc);
  }

  static void store(float* p, Float a) { vst1q_f32(p, a); }
  static void store_first(float* p, Float a, std::size_t n) {
    for (std::size_t lane = 0; lane < n; ++lane) p[lane] = a[lane];
  }
  /// `yes` in the lanes where a == b, else `no`.
  static Int where_equal(Int a, Int b, Int yes, Int no) {
    return vbslq_u32(vceqq_u32(a, b), yes, no);
  }

 private:
  static Int sums(int32x4_t a) { return vreinterpretq_u32_s32(a); }
  static int32x4_t signed_sums(Int a) { return vreinterpretq_s32_u32(a); }
  static Int add_products(Int acc, Int w, int8x16_t x) {
    return sums(vdotq_s32(signed_sums(acc), vreinterpretq_s8_u32(w), x));
  }
  static const std::uint8_t* bytes(const std::byte* p) {
    return reinterpret_cast<const std::uint8_t*>(p);
  }
};

}  // namespace
}  // namespace hearth::kernels
