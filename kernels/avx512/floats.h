// Sixteen floats, and sixteen 32-bit integers, as AVX-512 holds them: what the kernels in generic/
// that work on activations are written in. Every level offers the same operations, and each does
// the same to every lane, so that their results are the same bits.
//
// In an unnamed namespace, as everything in this folder but the install function: code that was
// compiled for this level must never be merged with that of another.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "kernels/generic/bytes.h"

namespace hearth::kernels {
namespace {

struct Floats {
  using V = __m512;   // 16 floats
  using I = __m512i;  // 16 32-bit integers
  /// Sums that stay in registers beside a few operands.
  static constexpr int kSums = 24;

  static V zero() { return _mm512_setzero_ps(); }
  static V set(float v) { return _mm512_set1_ps(v); }
  static V load(const float* p) { return _mm512_loadu_ps(p); }
  static void store(float* p, V a) { _mm512_storeu_ps(p, a); }
  static V load_half(const void* p) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(static_cast<const __m256i*>(p)));
  }
  static V set_half(std::uint16_t half) {
    return _mm512_cvtph_ps(_mm256_set1_epi16(static_cast<std::int16_t>(half)));
  }
  static V load_bf16(const void* p) {
    return as_float(
        shift_left<16>(_mm512_cvtepu16_epi32(_mm256_loadu_si256(static_cast<const __m256i*>(p)))));
  }
  static V load_bytes(const void* p) { return to_float(load_16_bytes(p)); }
  /// Rounded to nearest, ties to even, as f32_to_f16 does.
  static void store_half(std::uint16_t* p, V a) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p),
                        _mm512_cvtps_ph(a, _MM_FROUND_TO_NEAREST_INT));
  }
  /// The first n lanes, 1 to 15; nothing past them is touched. The other lanes are zero.
  static V load_first(const float* p, std::size_t n) {
    return _mm512_maskz_loadu_ps(first_lanes(n), p);
  }
  static void store_first(float* p, V a, std::size_t n) {
    _mm512_mask_storeu_ps(p, first_lanes(n), a);
  }
  static V keep_first(V a, std::size_t n) { return _mm512_maskz_mov_ps(first_lanes(n), a); }

  static V add(V a, V b) { return _mm512_add_ps(a, b); }
  static V sub(V a, V b) { return _mm512_sub_ps(a, b); }
  static V mul(V a, V b) { return _mm512_mul_ps(a, b); }
  static V div(V a, V b) { return _mm512_div_ps(a, b); }
  static V fma(V a, V b, V c) { return _mm512_fmadd_ps(a, b, c); }
  static V absolute(V a) { return _mm512_abs_ps(a); }
  /// a where a > b, else b: b if either is NaN.
  static V max(V a, V b) { return _mm512_max_ps(a, b); }
  static float largest(V a) { return _mm512_reduce_max_ps(a); }
  /// Lane j + lane j + 8, then the lanes 4, 2 and 1 apart.
  static float sum(V a) {
    const __m256 of_8 = _mm256_add_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
    const __m128 of_4 = _mm_add_ps(_mm256_castps256_ps128(of_8), _mm256_extractf128_ps(of_8, 1));
    const __m128 of_2 = _mm_add_ps(of_4, _mm_movehl_ps(of_4, of_4));
    return _mm_cvtss_f32(_mm_add_ss(of_2, _mm_movehdup_ps(of_2)));
  }
  /// out[i] = the sum of a[i], for 8 of them, each in the order of sum(): a lane and the one 8, 4,
  /// 2 and then 1 apart. All together, because one by one they take three times as long.
  static void sums_of_8(const V* a, float* out) {
    const auto add_floats = [](V x, V y) { return add(x, y); };
    _mm256_storeu_ps(out, _mm512_castps512_ps256(added_lanes(a, add_floats)));
  }
  static void sums_of_8(const I* a, std::int32_t* out) {
    const auto add_integers = [](V x, V y) { return as_float(add(bits(x), bits(y))); };
    const V lanes[8] = {as_float(a[0]), as_float(a[1]), as_float(a[2]), as_float(a[3]),
                        as_float(a[4]), as_float(a[5]), as_float(a[6]), as_float(a[7])};
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out),
                        _mm512_castsi512_si256(bits(added_lanes(lanes, add_integers))));
  }
  /// out[i] = largest(a[i]), for 8 of them; none is NaN.
  static void largest_of_8(const V* a, float* out) {
    const auto larger = [](V x, V y) { return max(x, y); };
    _mm256_storeu_ps(out, _mm512_castps512_ps256(added_lanes(a, larger)));
  }
  /// Four floats, in each quarter.
  static V set_quarters(const float* p) { return _mm512_broadcast_f32x4(_mm_loadu_ps(p)); }
  /// In each quarter, the sums of that quarter of a, b, c and d: lanes 2 and then 1 apart.
  static V sums_of_quarters(V a, V b, V c, V d) {
    const V ab = add(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
    const V cd = add(_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d));
    return add(_mm512_shuffle_ps(ab, cd, 0x44), _mm512_shuffle_ps(ab, cd, 0xee));
  }
  /// Quarter i to out + i * stride.
  static void store_quarters(float* out, std::size_t stride, V a) {
    _mm_storeu_ps(out, _mm512_castps512_ps128(a));
    _mm_storeu_ps(out + stride, _mm512_extractf32x4_ps(a, 1));
    _mm_storeu_ps(out + 2 * stride, _mm512_extractf32x4_ps(a, 2));
    _mm_storeu_ps(out + 3 * stride, _mm512_extractf32x4_ps(a, 3));
  }
  /// `yes` in the lanes where a < b, else `no`: also where either is NaN.
  static V where_less(V a, V b, V yes, V no) {
    return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_LT_OQ), no, yes);
  }
  /// Lanes 0 and 1 change places, 2 and 3, and so on.
  static V swap_neighbours(V a) { return _mm512_permute_ps(a, 0xb1); }

  static I bits(V a) { return _mm512_castps_si512(a); }
  static V as_float(I bits) { return _mm512_castsi512_ps(bits); }
  static I set(std::int32_t v) { return _mm512_set1_epi32(v); }
  /// 0, 1, 2 ...
  static I lane_numbers() {
    return _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  }
  static I absolute(I a) { return _mm512_abs_epi32(a); }
  static V to_float(I a) { return _mm512_cvtepi32_ps(a); }
  static V to_float(Bytes signed_bytes) {
    return to_float(_mm512_cvtepi8_epi32(reinterpret_cast<__m128i>(signed_bytes)));
  }
  /// Each byte 0..15 becomes that entry of a table of 16 bytes.
  static Bytes look_up(Bytes table, Bytes index) {
    return reinterpret_cast<Bytes>(
        _mm_shuffle_epi8(reinterpret_cast<__m128i>(table), reinterpret_cast<__m128i>(index)));
  }
  static I add(I a, I b) { return _mm512_add_epi32(a, b); }
  static I bit_and(I a, I b) { return _mm512_and_si512(a, b); }
  static I bit_or(I a, I b) { return _mm512_or_si512(a, b); }
  template <int n>
  static I shift_left(I a) {
    return _mm512_slli_epi32(a, n);
  }
  template <int n>
  static I shift_right(I a) {
    return _mm512_srli_epi32(a, n);
  }
  /// `yes` in the lanes where a > b as signed integers, else `no`.
  static I where_greater(I a, I b, I yes, I no) {
    return _mm512_mask_blend_epi32(_mm512_cmpgt_epi32_mask(a, b), no, yes);
  }
  /// To the nearest integer, ties to even.
  static I nearest(V a) { return _mm512_cvtps_epi32(a); }
  /// The same as a float.
  static V rounded(V a) {
    return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  }

  /// The low 16 bits of every lane.
  static void store_low_16(std::uint16_t* p, I a) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtepi32_epi16(a));
  }
  /// 64 lanes of -128..127 as bytes.
  static void store_low_8(std::int8_t* p, I a, I b, I c, I d) {
    const I mixed = _mm512_packs_epi16(_mm512_packs_epi32(a, b), _mm512_packs_epi32(c, d));
    const I order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    _mm512_storeu_si512(p, _mm512_permutexvar_epi32(order, mixed));
  }

  /// out[i] = the sum of bytes[16 i .. 16 i + 15], for 256 bytes.
  static void sums_of_16(const std::int8_t* bytes, std::int32_t* out) {
    const I a = sums_of_4(bytes);
    const I b = sums_of_4(bytes + 64);
    const I c = sums_of_4(bytes + 128);
    const I d = sums_of_4(bytes + 192);
    const I ab = add(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
    const I cd = add(_mm512_unpacklo_epi32(c, d), _mm512_unpackhi_epi32(c, d));
    const I abcd = add(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
    const I order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    _mm512_storeu_si512(out, _mm512_permutexvar_epi32(order, abcd));
  }

  /// out[i * stride + j] = columns[j][i], for i and j below 4.
  static void transpose_4(const std::uint32_t* const* columns, std::size_t first,
                          std::uint32_t* out, std::size_t stride) {
    const __m128i a = load_4(columns[0] + first);
    const __m128i b = load_4(columns[1] + first);
    const __m128i c = load_4(columns[2] + first);
    const __m128i d = load_4(columns[3] + first);
    const __m128i ab_low = _mm_unpacklo_epi32(a, b);
    const __m128i ab_high = _mm_unpackhi_epi32(a, b);
    const __m128i cd_low = _mm_unpacklo_epi32(c, d);
    const __m128i cd_high = _mm_unpackhi_epi32(c, d);
    store_4(out, _mm_unpacklo_epi64(ab_low, cd_low));
    store_4(out + stride, _mm_unpackhi_epi64(ab_low, cd_low));
    store_4(out + 2 * stride, _mm_unpacklo_epi64(ab_high, cd_high));
    store_4(out + 3 * stride, _mm_unpackhi_epi64(ab_high, cd_high));
  }

 private:
  static __mmask16 first_lanes(std::size_t n) { return static_cast<__mmask16>((1u << n) - 1u); }
  static I sums_of_4(const std::int8_t* bytes) {
    return _mm512_dpbusd_epi32(_mm512_setzero_si512(), _mm512_set1_epi8(1),
                               _mm512_loadu_si512(bytes));
  }
  /// Lane i, for i below 8: the lanes of a[i] added up.
  template <class Add>
  static V added_lanes(const V* a, Add add_lanes) {
    // No loops: one that g++ leaves rolled would keep its caller's sums in memory.
    const auto eights = [&](int i) {
      const V x = a[2 * i], y = a[2 * i + 1];
      return add_lanes(_mm512_shuffle_f32x4(x, y, 0x44), _mm512_shuffle_f32x4(x, y, 0xEE));
    };
    const auto fours = [&](int i) {  // in each quarter, four partial sums of a[4 i + quarter]
      const V x = eights(2 * i), y = eights(2 * i + 1);
      return add_lanes(_mm512_shuffle_f32x4(x, y, 0x88), _mm512_shuffle_f32x4(x, y, 0xDD));
    };
    const V low = fours(0), high = fours(1);
    const V twos =
        add_lanes(_mm512_shuffle_ps(low, high, 0x44), _mm512_shuffle_ps(low, high, 0xEE));
    const V ones =
        add_lanes(_mm512_shuffle_ps(twos, twos, 0x88), _mm512_shuffle_ps(twos, twos, 0xDD));
    return _mm512_permutexvar_ps(
        _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 0, 0, 0, 0, 0, 0, 0, 0), ones);
  }
  static __m128i load_4(const std::uint32_t* p) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  }
  static void store_4(std::uint32_t* p, __m128i a) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), a);
  }
};

}  // namespace
}  // namespace hearth::kernels
