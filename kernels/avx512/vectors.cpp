#include "kernels/generic/vectors.h"

#include "kernels/avx512/floats.h"
#include "kernels/avx512/parts.h"

namespace hearth::kernels::avx512 {
namespace {

constexpr int kTogether = 4;  // vectors that share the loads of the query

__m512i unsigned_bytes(__m512i signed_bytes) {
  return _mm512_xor_si512(signed_bytes, _mm512_set1_epi8(-128));
}

/// kVectors inner products; the instruction wants one side unsigned, so 128 times the sum of the
/// query is taken away again.
template <int kVectors>
void dot_some(const std::int8_t* vectors, std::size_t d, const std::int8_t* query,
              std::int32_t too_much, std::int32_t* out) {
  __m512i sums[kVectors];
  for (__m512i& sum : sums) sum = _mm512_setzero_si512();
  std::size_t j = 0;
  for (; j + 64 <= d; j += 64) {
    const __m512i q = _mm512_loadu_si512(query + j);
#pragma GCC unroll 4
    for (int i = 0; i < kVectors; ++i) {
      const __m512i x = _mm512_loadu_si512(vectors + static_cast<std::size_t>(i) * d + j);
      sums[i] = _mm512_dpbusd_epi32(sums[i], unsigned_bytes(x), q);
    }
  }
  if (j < d) {
    const __mmask64 rest = (std::uint64_t{1} << (d - j)) - 1;
    const __m512i q = _mm512_maskz_loadu_epi8(rest, query + j);
    for (int i = 0; i < kVectors; ++i) {
      const __m512i x =
          _mm512_maskz_loadu_epi8(rest, vectors + static_cast<std::size_t>(i) * d + j);
      sums[i] = _mm512_dpbusd_epi32(sums[i], unsigned_bytes(x), q);
    }
  }
  for (int i = 0; i < kVectors; ++i) out[i] = _mm512_reduce_add_epi32(sums[i]) - too_much;
}

void dot_i8(const std::int8_t* vectors, std::size_t n, std::size_t d, const std::int8_t* query,
            std::int32_t* out) {
  std::int32_t too_much = 0;
  for (std::size_t j = 0; j < d; ++j) too_much += 128 * query[j];
  std::size_t i = 0;
  for (; i + kTogether <= n; i += kTogether) {
    dot_some<kTogether>(vectors + i * d, d, query, too_much, out + i);
  }
  for (; i < n; ++i) dot_some<1>(vectors + i * d, d, query, too_much, out + i);
}

}  // namespace

void install_vectors(KernelTable& table) {
  install_float_vectors<Floats>(table.vectors);
  table.vectors.dot_i8 = dot_i8;
}

}  // namespace hearth::kernels::avx512
