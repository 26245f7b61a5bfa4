// Scores of stored vectors against a query. Sums have one order, sixteen partial sums that are
// added as in kernels/row_kernels.h, so that a score does not depend on threads or batches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/retrieval/segment_writer.h"

namespace hearth::retrieval {

/// A query, made ready for a layout.
struct PreparedQuery {
  std::vector<float> values;       // of length 1 for cosine
  std::vector<std::int8_t> codes;  // int8
  float scale = 0.0F;              // of the codes
};

PreparedQuery prepare_query(const VectorLayout& layout, std::span<const float> values);

/// Rows of a segment's sections, one after the other.
struct StoredRows {
  const std::byte* vectors = nullptr;
  const float* scales = nullptr;
  const float* norms = nullptr;
};

/// scores[i] = how close row first + i is to the query: the inner product, or less the squared
/// distance. With int8 storage approximately, and without what all rows share.
void score_rows(const VectorLayout& layout, const StoredRows& rows, std::size_t first,
                const PreparedQuery& query, std::span<float> scores);

/// The same for one vector, from its float32 elements.
float exact_score(Metric metric, std::span<const float> vector, std::span<const float> query);

}  // namespace hearth::retrieval
