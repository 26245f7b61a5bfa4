#include "kernels/generic/vectors.h"

#include "kernels/neon/floats.h"
#include "kernels/neon/parts.h"

namespace hearth::kernels::neon {
namespace {

struct ByteScores {
  static constexpr int kVectors = 4;
  static constexpr int kQueries = 4;
  static constexpr int kAlone = 8;

  template <int kVectors, int kQueries, bool kAsksAhead>
  static void run(const std::int8_t* vectors, std::size_t apart, std::size_t d,
                  const std::int8_t* queries, std::int32_t (&out)[kQueries][kVectors]) {
    int32x4_t sums[kQueries][kVectors];
    for (auto& row : sums) {
      for (int32x4_t& sum : row) sum = vdupq_n_s32(0);
    }
    const std::size_t whole = d / 16 * 16;
    for (std::size_t at = 0; at < whole; at += 16) {
      int8x16_t q[kQueries];
      for (int j = 0; j < kQueries; ++j) {
        q[j] = vld1q_s8(queries + static_cast<std::size_t>(j) * d + at);
      }
      for (int i = 0; i < kVectors; ++i) {
        const std::int8_t* p = vectors + static_cast<std::size_t>(i) * apart + at;
        if constexpr (kAsksAhead) ask_ahead(p);
        const int8x16_t x = vld1q_s8(p);
        for (int j = 0; j < kQueries; ++j) sums[j][i] = vdotq_s32(sums[j][i], x, q[j]);
      }
    }
    for (int j = 0; j < kQueries; ++j) {
      const std::int8_t* query = queries + static_cast<std::size_t>(j) * d;
      for (int i = 0; i < kVectors; ++i) {
        const std::int8_t* vector = vectors + static_cast<std::size_t>(i) * apart;
        out[j][i] = vaddvq_s32(sums[j][i]);
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

}  // namespace hearth::kernels::neon
