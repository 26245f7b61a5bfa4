#include "engine/retrieval/vector_scores.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/half.h"

namespace hearth::retrieval {
namespace {

constexpr std::size_t kLanes = 16;

/// Sixteen partial sums of term(i), i = 0 .. n - 1, then those 8, 4, 2 and 1 apart.
template <class Term>
float sum_of(std::size_t n, Term term) {
  float lanes[kLanes] = {};
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (std::size_t j = 0; j < kLanes; ++j) lanes[j] += term(i + j);
  }
  for (std::size_t j = 0; i + j < n; ++j) lanes[j] += term(i + j);
  for (std::size_t half = kLanes / 2; half > 0; half /= 2) {
    for (std::size_t j = 0; j < half; ++j) lanes[j] += lanes[j + half];
  }
  return lanes[0];
}

/// The inner product of a row, or less its squared distance. `read` gives elements as floats.
template <class Read>
float score(Metric metric, std::size_t n, Read read, const float* query) {
  if (metric != Metric::l2) {
    return sum_of(n, [&](std::size_t i) { return read(i) * query[i]; });
  }
  return -sum_of(n, [&](std::size_t i) {
    const float difference = read(i) - query[i];
    return difference * difference;
  });
}

std::int32_t product(const std::int8_t* a, const std::int8_t* b, std::size_t n) {
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += static_cast<std::int32_t>(a[i]) * b[i];
  return sum;
}

}  // namespace

float exact_score(Metric metric, std::span<const float> vector, std::span<const float> query) {
  return score(
      metric, vector.size(), [&](std::size_t i) { return vector[i]; }, query.data());
}

PreparedQuery prepare_query(const VectorLayout& layout, std::span<const float> values) {
  PreparedQuery query{.values = {values.begin(), values.end()}, .codes = {}};
  if (layout.metric == Metric::cosine) {
    double square = 0.0;
    for (const float v : values) square += static_cast<double>(v) * static_cast<double>(v);
    const double factor = square > 0.0 ? 1.0 / std::sqrt(square) : 0.0;
    for (float& v : query.values) v = static_cast<float>(static_cast<double>(v) * factor);
  }
  if (layout.storage != Storage::int8) return query;
  float most = 0.0F;
  for (const float v : query.values) most = std::max(most, std::abs(v));
  query.scale = most / 127.0F;
  for (const float v : query.values) {
    const float code = query.scale > 0.0F ? std::nearbyint(v / query.scale) : 0.0F;
    query.codes.push_back(static_cast<std::int8_t>(std::clamp(code, -127.0F, 127.0F)));
  }
  return query;
}

void score_rows(const VectorLayout& layout, const StoredRows& rows, std::size_t first,
                const PreparedQuery& query, std::span<float> scores) {
  const std::size_t d = layout.dimension;
  const float* q = query.values.data();
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const std::byte* row = rows.vectors + (first + i) * layout.row_bytes();
    if (layout.storage == Storage::f32) {
      const auto* values = reinterpret_cast<const float*>(row);
      scores[i] = score(
          layout.metric, d, [&](std::size_t j) { return values[j]; }, q);
    } else if (layout.storage == Storage::f16) {
      const auto* halves = reinterpret_cast<const std::uint16_t*>(row);
      const auto read = [&](std::size_t j) { return kernels::f16_to_f32(halves[j]); };
      scores[i] = score(layout.metric, d, read, q);
    } else {
      const std::int32_t sum =
          product(reinterpret_cast<const std::int8_t*>(row), query.codes.data(), d);
      const float dot = static_cast<float>(sum) * rows.scales[first + i] * query.scale;
      scores[i] = layout.metric == Metric::l2 ? 2.0F * dot - rows.norms[first + i] : dot;
    }
  }
}

}  // namespace hearth::retrieval
