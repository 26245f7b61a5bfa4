// Sixteen floats, and sixteen 32-bit integers, as AVX2 holds them: two registers each. The
// operations are those of avx512/floats.h.
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
  struct V {  // 16 floats
    __m256 low, high;
  };
  struct I {  // 16 32-bit integers
    __m256i low, high;
  };
  /// Sums that stay in registers beside a few operands.
  static constexpr int kSums = 6;

  static V zero() { return {_mm256_setzero_ps(), _mm256_setzero_ps()}; }
  static V set(float v) { return {_mm256_set1_ps(v), _mm256_set1_ps(v)}; }
  static V load(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
  static void store(float* p, V a) {
    _mm256_storeu_ps(p, a.low);
    _mm256_storeu_ps(p + 8, a.high);
  }

  static V load_half(const void* p) {
    const auto* eight = static_cast<const __m128i*>(p);
    return {_mm256_cvtph_ps(_mm_loadu_si128(eight)), _mm256_cvtph_ps(_mm_loadu_si128(eight + 1))};
  }
  static V set_half(std::uint16_t half) {
    const __m256 all = _mm256_cvtph_ps(_mm_set1_epi16(static_cast<std::int16_t>(half)));
    return {all, all};
  }
  static V load_bf16(const void* p) {
    const auto* eight = static_cast<const __m128i*>(p);
    return as_float(shift_left<16>(I{_mm256_cvtepu16_epi32(_mm_loadu_si128(eight)),
                                     _mm256_cvtepu16_epi32(_mm_loadu_si128(eight + 1))}));
  }
  static V load_bytes(const void* p) { return to_float(load_16_bytes(p)); }
  /// Rounded to nearest, ties to even, as f32_to_f16 does.
  static void store_half(std::uint16_t* p, V a) {
    auto* eight = reinterpret_cast<__m128i*>(p);
    _mm_storeu_si128(eight, _mm256_cvtps_ph(a.low, _MM_FROUND_TO_NEAREST_INT));
    _mm_storeu_si128(eight + 1, _mm256_cvtps_ph(a.high, _MM_FROUND_TO_NEAREST_INT));
  }
  /// The first n lanes, 1 to 15; nothing past them is touched. The other lanes are zero.
  static V load_first(const float* p, std::size_t n) {
    const I mask = first_lanes(n);
    return {_mm256_maskload_ps(p, mask.low), _mm256_maskload_ps(p + 8, mask.high)};
  }
  static void store_first(float* p, V a, std::size_t n) {
    const I mask = first_lanes(n);
    _mm256_maskstore_ps(p, mask.low, a.low);
    _mm256_maskstore_ps(p + 8, mask.high, a.high);
  }
  static V keep_first(V a, std::size_t n) { return as_float(bit_and(bits(a), first_lanes(n))); }

  static V add(V a, V b) { return {_mm256_add_ps(a.low, b.low), _mm256_add_ps(a.high, b.high)}; }
  static V sub(V a, V b) { return {_mm256_sub_ps(a.low, b.low), _mm256_sub_ps(a.high, b.high)}; }
  static V mul(V a, V b) { return {_mm256_mul_ps(a.low, b.low), _mm256_mul_ps(a.high, b.high)}; }
  static V div(V a, V b) { return {_mm256_div_ps(a.low, b.low), _mm256_div_ps(a.high, b.high)}; }
  static V fma(V a, V b, V c) {
    return {_mm256_fmadd_ps(a.low, b.low, c.low), _mm256_fmadd_ps(a.high, b.high, c.high)};
  }
  static V absolute(V a) {
    const __m256 sign = _mm256_set1_ps(-0.0F);
    return {_mm256_andnot_ps(sign, a.low), _mm256_andnot_ps(sign, a.high)};
  }
  /// a where a > b, else b: b if either is NaN.
  static V max(V a, V b) { return {_mm256_max_ps(a.low, b.low), _mm256_max_ps(a.high, b.high)}; }
  static float largest(V a) {
    const __m256 of_8 = _mm256_max_ps(a.low, a.high);
    const __m128 of_4 = _mm_max_ps(_mm256_castps256_ps128(of_8), _mm256_extractf128_ps(of_8, 1));
    const __m128 of_2 = _mm_max_ps(of_4, _mm_movehl_ps(of_4, of_4));
    return _mm_cvtss_f32(_mm_max_ss(of_2, _mm_movehdup_ps(of_2)));
  }

  /// Lane j + lane j + 8, then the lanes 4, 2 and 1 apart.
  static float sum(V a) {
    const __m256 of_8 = _mm256_add_ps(a.low, a.high);
    const __m128 of_4 = _mm_add_ps(_mm256_castps256_ps128(of_8), _mm256_extractf128_ps(of_8, 1));
    const __m128 of_2 = _mm_add_ps(of_4, _mm_movehl_ps(of_4, of_4));
    return _mm_cvtss_f32(_mm_add_ss(of_2, _mm_movehdup_ps(of_2)));
  }
  /// Four floats, in each quarter.
  static V set_quarters(const float* p) {
    const __m256 twice = _mm256_broadcast_ps(reinterpret_cast<const __m128*>(p));
    return {twice, twice};
  }
  /// In each quarter, the sums of that quarter of a, b, c and d: lanes 2 and then 1 apart.
  static V sums_of_quarters(V a, V b, V c, V d) {
    return {sums_of_halves(a.low, b.low, c.low, d.low),
            sums_of_halves(a.high, b.high, c.high, d.high)};
  }
  /// Quarter i to out + i * stride.
  static void store_quarters(float* out, std::size_t stride, V a) {
    _mm_storeu_ps(out, _mm256_castps256_ps128(a.low));
    _mm_storeu_ps(out + stride, _mm256_extractf128_ps(a.low, 1));
    _mm_storeu_ps(out + 2 * stride, _mm256_castps256_ps128(a.high));
    _mm_storeu_ps(out + 3 * stride, _mm256_extractf128_ps(a.high, 1));
  }
  /// `yes` in the lanes where a < b, else `no`: also where either is NaN.
  static V where_less(V a, V b, V yes, V no) {
    return {_mm256_blendv_ps(no.low, yes.low, _mm256_cmp_ps(a.low, b.low, _CMP_LT_OQ)),
            _mm256_blendv_ps(no.high, yes.high, _mm256_cmp_ps(a.high, b.high, _CMP_LT_OQ))};
  }
  /// Lanes 0 and 1 change places, 2 and 3, and so on.
  static V swap_neighbours(V a) {
    return {_mm256_permute_ps(a.low, 0xb1), _mm256_permute_ps(a.high, 0xb1)};
  }

  static I bits(V a) { return {_mm256_castps_si256(a.low), _mm256_castps_si256(a.high)}; }
  static V as_float(I a) { return {_mm256_castsi256_ps(a.low), _mm256_castsi256_ps(a.high)}; }
  static I set(std::int32_t v) { return {_mm256_set1_epi32(v), _mm256_set1_epi32(v)}; }
  /// 0, 1, 2 ...
  static I lane_numbers() {
    return {_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7),
            _mm256_setr_epi32(8, 9, 10, 11, 12, 13, 14, 15)};
  }
  static I absolute(I a) { return {_mm256_abs_epi32(a.low), _mm256_abs_epi32(a.high)}; }
  static V to_float(I a) { return {_mm256_cvtepi32_ps(a.low), _mm256_cvtepi32_ps(a.high)}; }
  static V to_float(Bytes signed_bytes) {
    const auto bytes = reinterpret_cast<__m128i>(signed_bytes);
    return to_float(I{_mm256_cvtepi8_epi32(bytes), _mm256_cvtepi8_epi32(_mm_srli_si128(bytes, 8))});
  }
  /// Each byte 0..15 becomes that entry of a table of 16 bytes.
  static Bytes look_up(Bytes table, Bytes index) {
    return reinterpret_cast<Bytes>(
        _mm_shuffle_epi8(reinterpret_cast<__m128i>(table), reinterpret_cast<__m128i>(index)));
  }
  static I add(I a, I b) {
    return {_mm256_add_epi32(a.low, b.low), _mm256_add_epi32(a.high, b.high)};
  }
  static I bit_and(I a, I b) {
    return {_mm256_and_si256(a.low, b.low), _mm256_and_si256(a.high, b.high)};
  }
  static I bit_or(I a, I b) {
    return {_mm256_or_si256(a.low, b.low), _mm256_or_si256(a.high, b.high)};
  }
  template <int n>
  static I shift_left(I a) {
    return {_mm256_slli_epi32(a.low, n), _mm256_slli_epi32(a.high, n)};
  }
  template <int n>
  static I shift_right(I a) {
    return {_mm256_srli_epi32(a.low, n), _mm256_srli_epi32(a.high, n)};
  }
  /// `yes` in the lanes where a > b as signed integers, else `no`.
  static I where_greater(I a, I b, I yes, I no) {
    return {_mm256_blendv_epi8(no.low, yes.low, _mm256_cmpgt_epi32(a.low, b.low)),
            _mm256_blendv_epi8(no.high, yes.high, _mm256_cmpgt_epi32(a.high, b.high))};
  }
  /// To the nearest integer, ties to even.
  static I nearest(V a) { return {_mm256_cvtps_epi32(a.low), _mm256_cvtps_epi32(a.high)}; }
  /// The same as a float.
  static V rounded(V a) {
    constexpr int kHow = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
    return {_mm256_round_ps(a.low, kHow), _mm256_round_ps(a.high, kHow)};
  }

  /// The low 16 bits of every lane.
  static void store_low_16(std::uint16_t* p, I a) {
    const I low = bit_and(a, set(0xffff));
    const __m256i mixed = _mm256_packus_epi32(low.low, low.high);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm256_permute4x64_epi64(mixed, 0xd8));
  }
  /// 64 lanes of -128..127 as bytes.
  static void store_low_8(std::int8_t* p, I a, I b, I c, I d) {
    store_low_8(p, a, b);
    store_low_8(p + 32, c, d);
  }

  /// out[i] = the sum of bytes[16 i .. 16 i + 15], for 256 bytes.
  static void sums_of_16(const std::int8_t* bytes, std::int32_t* out) {
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    for (int half = 0; half < 2; ++half, bytes += 128, out += 8) {
      const __m256i ab = _mm256_hadd_epi32(sums_of_4(bytes), sums_of_4(bytes + 32));
      const __m256i cd = _mm256_hadd_epi32(sums_of_4(bytes + 64), sums_of_4(bytes + 96));
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(out),
                          _mm256_permutevar8x32_epi32(_mm256_hadd_epi32(ab, cd), order));
    }
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
  static I first_lanes(std::size_t n) {
    const __m256i count = _mm256_set1_epi32(static_cast<int>(n));
    return {_mm256_cmpgt_epi32(count, _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)),
            _mm256_cmpgt_epi32(count, _mm256_setr_epi32(8, 9, 10, 11, 12, 13, 14, 15))};
  }
  static void store_low_8(std::int8_t* p, I a, I b) {
    const __m256i mixed = _mm256_packs_epi16(_mm256_packs_epi32(a.low, a.high),  //
                                             _mm256_packs_epi32(b.low, b.high));
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm256_permutevar8x32_epi32(mixed, order));
  }
  static __m256 sums_of_halves(__m256 a, __m256 b, __m256 c, __m256 d) {
    const __m256 ab = _mm256_add_ps(_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
    const __m256 cd = _mm256_add_ps(_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d));
    return _mm256_add_ps(_mm256_shuffle_ps(ab, cd, 0x44), _mm256_shuffle_ps(ab, cd, 0xee));
  }
  static __m256i sums_of_4(const std::int8_t* bytes) {
    const __m256i pairs = _mm256_maddubs_epi16(
        _mm256_set1_epi8(1), _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes)));
    return _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
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
