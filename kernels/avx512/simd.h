// The vector operations that the kernels in generic/ are written in, for AVX-512.
//
// In an unnamed namespace, as everything in this folder but the install function: code that was
// compiled for this level must never be merged with that of another.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "kernels/generic/products.h"

namespace hearth::kernels {
namespace {

struct Simd {
  static constexpr int kLanes = 16;
  /// Columns of a strip that a tile works on at once: their sums and running sums stay in
  /// registers.
  static constexpr int kMostColumns = 12;
  /// Whether dot() takes all of 0..255. Weights with an offset are then scaled up so that it is
  /// 128, which the strip's bias takes away for nothing.
  static constexpr bool kFullRangeDot = true;
  static constexpr Products kProducts = Products::of_one_column;
  /// Whether a product takes no less time than the load of its second operand.
  static constexpr bool kFewLoads = true;

  using Int = __m512i;  // 16 32-bit integers, or 64 bytes, or 32 16-bit integers
  using Float = __m512;

  static Int zero() { return _mm512_setzero_si512(); }
  static Int set(std::int32_t v) { return _mm512_set1_epi32(v); }
  static Int load(const std::byte* p) { return _mm512_loadu_si512(p); }
  static Int load_u16(const std::byte* p) {
    return _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  }
  static Int load_u8(const std::byte* p) {
    return _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  }
  static Int broadcast(const std::int32_t* p) { return _mm512_set1_epi32(*p); }

  static Int add(Int a, Int b) { return _mm512_add_epi32(a, b); }
  static Int sub(Int a, Int b) { return _mm512_sub_epi32(a, b); }
  static Int mul(Int a, Int b) { return _mm512_mullo_epi32(a, b); }
  static Int bit_and(Int a, Int b) { return _mm512_and_si512(a, b); }
  static Int bit_or(Int a, Int b) { return _mm512_or_si512(a, b); }
  static Int bit_xor(Int a, Int b) { return _mm512_xor_si512(a, b); }
  template <int n>
  static Int shift_left(Int a) {
    return n == 0 ? a : _mm512_slli_epi32(a, n);
  }
  template <int n>
  static Int shift_right(Int a) {
    return n == 0 ? a : _mm512_srli_epi32(a, n);
  }
  /// By a number that is known only after unrolling.
  static Int shift_left(Int a, int n) { return _mm512_slli_epi32(a, static_cast<unsigned>(n)); }
  static Int shift_right(Int a, int n) { return _mm512_srli_epi32(a, static_cast<unsigned>(n)); }
  static Int shift_right_signed(Int a, int n) {
    return _mm512_srai_epi32(a, static_cast<unsigned>(n));
  }

  /// Each byte 0..15 becomes that entry of a table of 16 bytes.
  static Int look_up(Int table, Int index) { return _mm512_shuffle_epi8(table, index); }
  static Int table(const std::int8_t* p) {
    return _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  }

  /// acc + the sum of four products of a lane: unsigned bytes of w, the four quants at x. The
  /// operand is broadcast by the instruction itself, which the compiler would not do.
  static Int dot(Int acc, Int w, const std::int8_t* x) {
    __asm__("vpdpbusd %2%{1to16%}, %1, %0"
            : "+v"(acc)
            : "v"(w), "m"(*reinterpret_cast<const std::int32_t*>(x)));
    return acc;
  }

  /// The same with the four quants in every lane of a register.
  static Int dot(Int acc, Int w, Int x) { return _mm512_dpbusd_epi32(acc, w, x); }
  static Int load_four(const std::int8_t* x) {
    return _mm512_set1_epi32(*reinterpret_cast<const std::int32_t*>(x));
  }

  // The same for signed bytes: w + 128 is unsigned, and the sum starts at -128 * (sum of x).
  static Int signed_operand(Int w) { return _mm512_xor_si512(w, _mm512_set1_epi8(-128)); }
  static Int signed_start(Int bias) { return bias; }
  static Int signed_dot(Int acc, Int w, const std::int8_t* x) { return dot(acc, w, x); }

  /// acc + the sum of two products of a lane: 16-bit integers of a, the two at b.
  static Int dot_pairs(Int acc, Int a, const std::uint32_t* b) {
    __asm__("vpdpwssd %2%{1to16%}, %1, %0" : "+v"(acc) : "v"(a), "m"(*b));
    return acc;
  }

  static Float zero_float() { return _mm512_setzero_ps(); }
  static Float to_float(Int a) { return _mm512_cvtepi32_ps(a); }
  static Float as_float(Int bits) { return _mm512_castsi512_ps(bits); }
  static Float load_float(const std::byte* p) {
    return _mm512_loadu_ps(reinterpret_cast<const float*>(p));
  }
  static Float load_half(const std::byte* p) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  }
  static Float broadcast(const float* p) { return _mm512_set1_ps(*p); }
  static Float set_float(float v) { return _mm512_set1_ps(v); }
  static Float mul(Float a, Float b) { return _mm512_mul_ps(a, b); }
  static Float negated(Float a) { return _mm512_xor_ps(a, _mm512_set1_ps(-0.0F)); }
  static Float add(Float a, Float b) { return _mm512_add_ps(a, b); }
  static Float fma(Float a, Float b, Float c) { return _mm512_fmadd_ps(a, b, c); }

  static void store(float* p, Float a) { _mm512_storeu_ps(p, a); }
  static void store_first(float* p, Float a, std::size_t n) {
    _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << n) - 1u), a);
  }
  /// `yes` in the lanes where a == b, else `no`.
  static Int where_equal(Int a, Int b, Int yes, Int no) {
    return _mm512_mask_blend_epi32(_mm512_cmpeq_epi32_mask(a, b), no, yes);
  }
};

}  // namespace
}  // namespace hearth::kernels
