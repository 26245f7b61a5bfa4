#include "kernels/generic/vectors.h"

#include "kernels/neon/floats.h"
#include "kernels/neon/parts.h"

namespace hearth::kernels::neon {
namespace {

void dot_i8(const std::int8_t* vectors, std::size_t n, std::size_t d, const std::int8_t* query,
            std::int32_t* out) {
  for (std::size_t i = 0; i < n; ++i, vectors += d) {
    int32x4_t even = vdupq_n_s32(0), odd = vdupq_n_s32(0);
    std::size_t j = 0;
    for (; j + 32 <= d; j += 32) {
      even = vdotq_s32(even, vld1q_s8(vectors + j), vld1q_s8(query + j));
      odd = vdotq_s32(odd, vld1q_s8(vectors + j + 16), vld1q_s8(query + j + 16));
    }
    std::int32_t sum = vaddvq_s32(vaddq_s32(even, odd));
    for (; j < d; ++j) sum += vectors[j] * query[j];
    out[i] = sum;
  }
}

}  // namespace

void install_vectors(KernelTable& table) {
  install_float_vectors<Floats>(table.vectors);
  table.vectors.dot_i8 = dot_i8;
}

}  // namespace hearth::kernels::neon
