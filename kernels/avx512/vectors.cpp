#include "kernels/generic/vectors.h"

#include "kernels/avx512/floats.h"
#include "kernels/avx512/parts.h"

namespace hearth::kernels::avx512 {
namespace {

/// Inner products of bytes, the vectors' 128 larger: the instruction wants one side unsigned.
struct ByteScores {
  static constexpr int kVectors = 4;
  static constexpr int kQueries = 6;
  static constexpr int kAlone = 4;

  template <int kVectors, int kQueries, bool kAsksAhead>
  static void run(const std::int8_t* vectors, std::size_t apart, std::size_t d,
                  const std::int8_t* queries, std::int32_t (&out)[kQueries][kVectors]) {
    __m512i sums[kQueries][kVectors];
#pragma GCC unroll 8
    for (int j = 0; j < kQueries; ++j) {
#pragma GCC unroll 8
      for (int i = 0; i < kVectors; ++i) sums[j][i] = _mm512_setzero_si512();
    }
    const __m512i offset = _mm512_set1_epi8(-128);
    const auto step = [&](std::size_t at, auto load) {
      __m512i x[kVectors];
#pragma GCC unroll 8
      for (int i = 0; i < kVectors; ++i) {
        const std::int8_t* p = vectors + static_cast<std::size_t>(i) * apart + at;
        if constexpr (kAsksAhead) ask_ahead(p);
        x[i] = _mm512_xor_si512(load(p), offset);
      }
#pragma GCC unroll 8
      for (int j = 0; j < kQueries; ++j) {
        const __m512i q = load(queries + static_cast<std::size_t>(j) * d + at);
#pragma GCC unroll 8
        for (int i = 0; i < kVectors; ++i) sums[j][i] = _mm512_dpbusd_epi32(sums[j][i], x[i], q);
      }
    };
    const std::size_t whole = d / 64 * 64;
    for (std::size_t at = 0; at < whole; at += 64) {
      step(at, [](const std::int8_t* p) { return _mm512_loadu_si512(p); });
    }
    if (whole < d) {
      const __mmask64 rest = (std::uint64_t{1} << (d - whole)) - 1;
      step(whole, [=](const std::int8_t* p) { return _mm512_maskz_loadu_epi8(rest, p); });
    }
    constexpr int kSums = kVectors * kQueries;
    const auto* all = &sums[0][0];
    std::int32_t* to = &out[0][0];
    int i = 0;
#pragma GCC unroll 8
    for (; i + 8 <= kSums; i += 8) Floats::sums_of_8(all + i, to + i);
#pragma GCC unroll 8
    for (; i < kSums; ++i) to[i] = _mm512_reduce_add_epi32(all[i]);
  }
};

void dot_i8(const std::int8_t* vectors, std::size_t n, std::size_t d, const std::int8_t* queries,
            std::size_t n_queries, std::int32_t* out) {
  score_vectors<ByteScores>(vectors, n, d, queries, n_queries, out);
  for (std::size_t q = 0; q < n_queries; ++q) {
    std::int32_t too_much = 0;
    for (std::size_t j = 0; j < d; ++j) too_much += 128 * queries[q * d + j];
    for (std::size_t i = 0; i < n; ++i) out[q * n + i] -= too_much;
  }
}

}  // namespace

void install_vectors(KernelTable& table) {
  install_float_vectors<Floats>(table.vectors);
  table.vectors.dot_i8 = dot_i8;
}

}  // namespace hearth::kernels::avx512
