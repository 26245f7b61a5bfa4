// The vector operations that the kernels in generic/ are written in, for AVX2 with FMA and F16C.
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
  static constexpr int kLanes = 8;
  /// Columns of a strip that a tile works on at once: their sums and running sums stay in
  /// registers.
  static constexpr int kMostColumns = 12;
  /// Whether dot() takes all of 0..255. It does not: vpmaddubsw adds two products in 16 bits.
  static constexpr bool kFullRangeDot = false;
  static constexpr Products kProducts = Products::of_one_column;

  using Int = __m256i;  // 8 32-bit integers, or 32 bytes, or 16 16-bit integers
  using Float = __m256;

  static Int zero() { return _mm256_setzero_si256(); }
  static Int set(std::int32_t v) { return _mm256_set1_epi32(v); }
  static Int load(const std::byte* p) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  }
  static Int load_u16(const std::byte* p) {
    return _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  }
  static Int load_u8(const std::byte* p) {
    return _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
  }
  static Int broadcast(const std::int32_t* p) { return _mm256_set1_epi32(*p); }

  static Int add(Int a, Int b) { return _mm256_add_epi32(a, b); }
  static Int sub(Int a, Int b) { return _mm256_sub_epi32(a, b); }
  static Int mul(Int a, Int b) { return _mm256_mullo_epi32(a, b); }
  static Int bit_and(Int a, Int b) { return _mm256_and_si256(a, b); }
  static Int bit_or(Int a, Int b) { return _mm256_or_si256(a, b); }
  static Int bit_xor(Int a, Int b) { return _mm256_xor_si256(a, b); }
  template <int n>
  static Int shift_left(Int a) {
    return n == 0 ? a : _mm256_slli_epi32(a, n);
  }
  template <int n>
  static Int shift_right(Int a) {
    return n == 0 ? a : _mm256_srli_epi32(a, n);
  }
  /// By a number that is known only after unrolling.
  static Int shift_left(Int a, int n) { return _mm256_slli_epi32(a, n); }
  static Int shift_right(Int a, int n) { return _mm256_srli_epi32(a, n); }
  static Int shift_right_signed(Int a, int n) { return _mm256_srai_epi32(a, n); }

  /// Each byte 0..15 becomes that entry of a table of 16 bytes.
  static Int look_up(Int table, Int index) { return _mm256_shuffle_epi8(table, index); }
  static Int table(const std::int8_t* p) {
    return _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  }

  /// The four quants at x, in every lane.
  static Int quad(const std::int8_t* x) {
    std::int32_t four;
    __builtin_memcpy(&four, x, sizeof four);
    return set(four);
  }

  /// acc + the sum of four products of a lane: bytes 0..127 of w, the four quants at x.
  static Int dot(Int acc, Int w, const std::int8_t* x) { return dot(acc, w, quad(x)); }

  // The same for signed bytes: |w|, at most 128, times x with the sign of w. x is never -128.
  static Int signed_operand(Int w) { return w; }
  static Int signed_start(Int) { return zero(); }
  static Int signed_dot(Int acc, Int w, const std::int8_t* x) {
    return dot(acc, _mm256_abs_epi8(w), _mm256_sign_epi8(quad(x), w));
  }

  /// acc + the sum of two products of a lane: 16-bit integers of a, the two at b.
  static Int dot_pairs(Int acc, Int a, const std::uint32_t* b) {
    return add(acc, _mm256_madd_epi16(a, set(static_cast<std::int32_t>(*b))));
  }

  static Float zero_float() { return _mm256_setzero_ps(); }
  static Float to_float(Int a) { return _mm256_cvtepi32_ps(a); }
  static Float as_float(Int bits) { return _mm256_castsi256_ps(bits); }
  static Float load_float(const std::byte* p) {
    return _mm256_loadu_ps(reinterpret_cast<const float*>(p));
  }
  static Float load_half(const std::byte* p) {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  }
  static Float broadcast(const float* p) { return _mm256_set1_ps(*p); }
  static Float set_float(float v) { return _mm256_set1_ps(v); }
  static Float mul(Float a, Float b) { return _mm256_mul_ps(a, b); }
  static Float negated(Float a) { return _mm256_xor_ps(a, _mm256_set1_ps(-0.0F)); }
  static Float add(Float a, Float b) { return _mm256_add_ps(a, b); }
  static Float fma(Float a, Float b, Float c) { return _mm256_fmadd_ps(a, b, c); }

  /// acc + the products of a pair of bfloat16 in each lane of w and the pair at x, the later one
  /// first. A bfloat16 is the upper half of a float.
  static Float dot_bf16(Float acc, Int w, const std::uint32_t* x) {
    const Int pair = set(static_cast<std::int32_t>(*x));
    const Int late = set(static_cast<std::int32_t>(0xffff0000u));
    acc = fma(as_float(bit_and(w, late)), as_float(bit_and(pair, late)), acc);
    return fma(as_float(shift_left<16>(w)), as_float(shift_left<16>(pair)), acc);
  }

  static void store(float* p, Float a) { _mm256_storeu_ps(p, a); }
  static void store_first(float* p, Float a, std::size_t n) {
    const Int lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    _mm256_maskstore_ps(p, _mm256_cmpgt_epi32(set(static_cast<std::int32_t>(n)), lane), a);
  }
  /// `yes` in the lanes where a == b, else `no`.
  static Int where_equal(Int a, Int b, Int yes, Int no) {
    return _mm256_blendv_epi8(no, yes, _mm256_cmpeq_epi32(a, b));
  }

 private:
  static Int dot(Int acc, Int w, Int x) {
    const Int pairs = _mm256_maddubs_epi16(w, x);
    return add(acc, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  }
};

}  // namespace
}  // namespace hearth::kernels
