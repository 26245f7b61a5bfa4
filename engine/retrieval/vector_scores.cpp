#include "engine/retrieval/vector_scores.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "engine/device/cpu/isa.h"

namespace hearth::retrieval {
namespace {

const kernels::VectorKernels& table() {
  static const kernels::VectorKernels& kTable = chosen_kernels().vectors;
  return kTable;
}

/// Turns inner products of codes into scores.
void score_codes(const VectorLayout& layout, const StoredRows& rows, std::size_t first,
                 std::size_t n, const PreparedQueries& queries, std::span<float> scores,
                 std::vector<std::int32_t>& sums) {
  const std::size_t d = layout.dimension;
  const auto* codes = reinterpret_cast<const std::int8_t*>(rows.vectors) + first * d;
  sums.resize(std::max(sums.size(), n * queries.count));
  table().dot_i8(codes, n, d, queries.codes.data(), queries.count, sums.data());
  for (std::size_t q = 0; q < queries.count; ++q) {
    const std::int32_t* in = sums.data() + q * n;
    float* out = scores.data() + q * n;
    for (std::size_t i = 0; i < n; ++i) {
      out[i] = static_cast<float>(in[i]) * rows.scales[first + i] * queries.scales[q];
    }
    if (layout.metric != Metric::l2) continue;
    for (std::size_t i = 0; i < n; ++i) out[i] = 2.0F * out[i] - rows.norms[first + i];
  }
}

template <class Element>
void score_floats(const VectorLayout& layout, const Element* vectors, std::size_t n,
                  kernels::ScoreVectors<Element> dot, kernels::ScoreVectors<Element> distance,
                  const PreparedQueries& queries, std::span<float> scores) {
  const bool is_distance = layout.metric == Metric::l2;
  (is_distance ? distance : dot)(vectors, n, layout.dimension, queries.values.data(), queries.count,
                                 scores.data());
  if (!is_distance) return;
  for (float& score : scores) score = -score;
}

}  // namespace

float exact_score(Metric metric, std::span<const float> vector, std::span<const float> query) {
  float score = 0.0F;
  const bool is_distance = metric == Metric::l2;
  (is_distance ? table().distance_f32 : table().dot_f32)(vector.data(), 1, vector.size(),
                                                         query.data(), 1, &score);
  return is_distance ? -score : score;
}

PreparedQueries prepare_queries(const VectorLayout& layout, std::span<const float> values) {
  const std::size_t d = layout.dimension;
  PreparedQueries queries{.count = values.size() / d, .values = {values.begin(), values.end()}};
  for (std::size_t q = 0; q < queries.count; ++q) {
    const std::span<float> query = std::span(queries.values).subspan(q * d, d);
    if (layout.metric == Metric::cosine) {
      double square = 0.0;
      for (const float v : query) square += static_cast<double>(v) * static_cast<double>(v);
      const double factor = square > 0.0 ? 1.0 / std::sqrt(square) : 0.0;
      for (float& v : query) v = static_cast<float>(static_cast<double>(v) * factor);
    }
    if (layout.storage != Storage::int8) continue;
    float most = 0.0F;
    for (const float v : query) most = std::max(most, std::abs(v));
    queries.scales.push_back(most / 127.0F);
    for (const float v : query) {
      const float code = most > 0.0F ? std::nearbyint(v / queries.scales.back()) : 0.0F;
      queries.codes.push_back(static_cast<std::int8_t>(std::clamp(code, -127.0F, 127.0F)));
    }
  }
  return queries;
}

void score_rows(const VectorLayout& layout, const StoredRows& rows, std::size_t first,
                std::size_t n, const PreparedQueries& queries, std::span<float> scores,
                std::vector<std::int32_t>& sums) {
  HEARTH_CHECK(scores.size() == n * queries.count);
  const std::byte* at = rows.vectors + first * layout.row_bytes();
  if (layout.storage == Storage::f32) {
    score_floats(layout, reinterpret_cast<const float*>(at), n, table().dot_f32,
                 table().distance_f32, queries, scores);
  } else if (layout.storage == Storage::f16) {
    score_floats(layout, reinterpret_cast<const std::uint16_t*>(at), n, table().dot_f16,
                 table().distance_f16, queries, scores);
  } else {
    score_codes(layout, rows, first, n, queries, scores, sums);
  }
}

}  // namespace hearth::retrieval
