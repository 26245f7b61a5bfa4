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

// Products of bytes are exact as 16-bit pairs: 2 * 128 * 128 fits 32 bits many times over.
void dot_i8(const std::int8_t* vectors, std::size_t n, std::size_t d, const std::int8_t* query,
            std::int32_t* out) {
  for (std::size_t i = 0; i < n; ++i, vectors += d) {
    __m256i even = _mm256_setzero_si256(), odd = _mm256_setzero_si256();
    std::size_t j = 0;
    for (; j + 32 <= d; j += 32) {
      even = _mm256_add_epi32(even, _mm256_madd_epi16(load_16(vectors + j), load_16(query + j)));
      odd = _mm256_add_epi32(odd,
                             _mm256_madd_epi16(load_16(vectors + j + 16), load_16(query + j + 16)));
    }
    std::int32_t sum = sum_of(_mm256_add_epi32(even, odd));
    for (; j < d; ++j) sum += vectors[j] * query[j];
    out[i] = sum;
  }
}

}  // namespace

void install_vectors(KernelTable& table) {
  install_float_vectors<Floats>(table.vectors);
  table.vectors.dot_i8 = dot_i8;
}

}  // namespace hearth::kernels::avx2
