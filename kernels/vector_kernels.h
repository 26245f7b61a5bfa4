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

/// out [n_queries][n] = the scores of n vectors. Fastest if vectors and queries are aligned to 64
/// bytes.
template <class Element, class Query = float, class Score = float>
using ScoreVectors = void (*)(const Element* vectors, std::size_t n, std::size_t d,
                              const Query* queries, std::size_t n_queries, Score* out);

struct VectorKernels {
  // Inner products, and squared distances.
  ScoreVectors<float> dot_f32 = nullptr;
  ScoreVectors<float> distance_f32 = nullptr;
  ScoreVectors<std::uint16_t> dot_f16 = nullptr;
  ScoreVectors<std::uint16_t> distance_f16 = nullptr;

  /// Inner products of bytes.
  ScoreVectors<std::int8_t, std::int8_t, std::int32_t> dot_i8 = nullptr;
};

}  // namespace hearth::kernels
