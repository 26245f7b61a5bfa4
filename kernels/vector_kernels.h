// Scores of many stored vectors for a few queries: what an exact search spends its time on.
//
// Vectors lie one after the other, d elements each; so do queries. A float sum is sixteen partial
// sums, of which number j takes the elements j, j + 16, j + 32 ..., one fma after the other, added
// as in row_kernels.h: so a score does not depend on what is scored beside it. Integers are exact:
// d is at most 2^16. The statement: scalar/vectors.cpp.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hearth::kernels {

/// out [n_queries][n] = the scores of n vectors.
template <class Element>
using ScoreVectors = void (*)(const Element* vectors, std::size_t n, std::size_t d,
                              const float* queries, std::size_t n_queries, float* out);

struct VectorKernels {
  // Inner products, and squared distances.
  ScoreVectors<float> dot_f32 = nullptr;
  ScoreVectors<float> distance_f32 = nullptr;
  ScoreVectors<std::uint16_t> dot_f16 = nullptr;
  ScoreVectors<std::uint16_t> distance_f16 = nullptr;

  /// out [n] = inner products of bytes.
  void (*dot_i8)(const std::int8_t* vectors, std::size_t n, std::size_t d, const std::int8_t* query,
                 std::int32_t* out) = nullptr;
};

}  // namespace hearth::kernels
