#include "kernels/generic/vectors.h"

#include "kernels/avx2/floats.h"
#include "kernels/avx2/parts.h"

namespace hearth::kernels::avx2 {
namespace {

__m256i load_16(const std::int8_t* p) {
  return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}

std::int32_t sum_of(__m256i v) {
  const __m128i of_4 = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  const __m128i of_2 = _mm_add_epi32(of_4, _mm_shuffle_epi32(of_4, 0x4E));
  return _mm_cvtsi128_si32(_mm_add_epi32(of_2, _mm_shuffle_epi32(of_2, 0xB1)));
}

/// Inner products of bytes, which are exact as 16-bit pairs: 2 * 128 * 128 fits 32 bits many times
/// over.
struct ByteScores {
  static constexpr int kVectors = 2;
  static constexpr int kQueries = 3;
  static constexpr int kAlone = 4;

  template <int kVectors, int kQueries, bool kAsksAhead>
  static void run(const std::int8_t* vectors, std::size_t apart, std::size_t d,
                  const std::int8_t* queries, std::int32_t (&out)[kQueries][kVectors]) {
    __m256i sums[kQueries][kVectors];
    for (auto& row : sums) {
      for (__m256i& sum : row) sum = _mm256_setzero_si256();
    }
    const std::size_t whole = d / 16 * 16;
    for (std::size_t at = 0; at < whole; at += 16) {
      __m256i q[kQueries];
#pragma GCC unroll 4
      for (int j = 0; j < kQueries; ++j) {
        q[j] = load_16(queries + static_cast<std::size_t>(j) * d + at);
      }
#pragma GCC unroll 4
      for (int i = 0; i < kVectors; ++i) {
        const std::int8_t* p = vectors + static_cast<std::size_t>(i) * apart + at;
        if constexpr (kAsksAhead) ask_ahead(p);
        const __m256i x = load_16(p);
#pragma GCC unroll 4
        for (int j = 0; j < kQueries; ++j) {
          sums[j][i] = _mm256_add_epi32(sums[j][i], _mm256_madd_epi16(x, q[j]));
        }
      }
    }
    for (int j = 0; j < kQueries; ++j) {
      const std::int8_t* query = queries + static_cast<std::size_t>(j) * d;
      for (int i = 0; i < kVectors; ++i) {
        const std::int8_t* vector = vectors + static_cast<std::size_t>(i) * apart;
        out[j][i] = sum_of(sums[j][i]);
        for (std::size_t at = whole; at < d; ++at) out[j][i] += vector[at] * query[at];
      }
    }
  }
};

}  // namespace

void install_vectors(KernelTable& table) {
  install_float_vectors<Floats>(table.vectors);
  table.vectors.dot_i8 = score_vectors<ByteScores, std::int8_t, std::int8_t, std::int32_t>;
}

}  // namespace hearth::kernels::avx2
