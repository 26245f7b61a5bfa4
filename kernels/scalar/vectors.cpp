#include "kernels/scalar/vectors.h"

#include "kernels/half.h"
#include "kernels/scalar/sum.h"

namespace hearth::kernels::scalar {
namespace {

float as_float(float element) {
  return element;
}
float as_float(std::uint16_t element) {
  return f16_to_f32(element);
}

template <bool kIsDistance, class Element>
float score(const Element* vector, std::size_t d, const float* query) {
  float lanes[16] = {};
  for (std::size_t i = 0; i < d; ++i) {
    const float x = as_float(vector[i]);
    const float a = kIsDistance ? x - query[i] : x;
    lanes[i % 16] = __builtin_fmaf(a, kIsDistance ? a : query[i], lanes[i % 16]);
  }
  return sum_of_lanes(lanes);
}

template <bool kIsDistance, class Element>
void scores(const Element* vectors, std::size_t n, std::size_t d, const float* queries,
            std::size_t n_queries, float* out) {
  for (std::size_t q = 0; q < n_queries; ++q) {
    for (std::size_t i = 0; i < n; ++i) {
      out[q * n + i] = score<kIsDistance>(vectors + i * d, d, queries + q * d);
    }
  }
}

void dot_i8(const std::int8_t* vectors, std::size_t n, std::size_t d, const std::int8_t* queries,
            std::size_t n_queries, std::int32_t* out) {
  for (std::size_t q = 0; q < n_queries; ++q) {
    for (std::size_t i = 0; i < n; ++i) {
      std::int32_t sum = 0;
      for (std::size_t j = 0; j < d; ++j) sum += vectors[i * d + j] * queries[q * d + j];
      out[q * n + i] = sum;
    }
  }
}

}  // namespace

VectorKernels vector_kernels() {
  return {.dot_f32 = scores<false, float>,
          .distance_f32 = scores<true, float>,
          .dot_f16 = scores<false, std::uint16_t>,
          .distance_f16 = scores<true, std::uint16_t>,
          .dot_i8 = dot_i8};
}

}  // namespace hearth::kernels::scalar
