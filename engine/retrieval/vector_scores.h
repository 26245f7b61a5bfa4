// Scores of stored vectors against queries, by the kernels of the level that was chosen
// (engine/device/cpu/isa.h). A score does not depend on threads or batches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/aligned_vector.h"
#include "engine/retrieval/segment_writer.h"

namespace hearth::retrieval {

/// Queries, made ready for a layout.
struct PreparedQueries {
  std::size_t count = 0;
  AlignedVector<float> values = {};       // [count][dimension], of length 1 for cosine
  AlignedVector<std::int8_t> codes = {};  // the same for int8
  std::vector<float> scales = {};         // [count], of the codes

  std::span<const float> of(std::size_t query) const {
    const std::size_t d = values.size() / count;
    return std::span(values).subspan(query * d, d);
  }
};

/// values [n][dimension]
PreparedQueries prepare_queries(const VectorLayout& layout, std::span<const float> values);

/// Rows of a segment's sections, one after the other.
struct StoredRows {
  const std::byte* vectors = nullptr;
  const float* scales = nullptr;
  const float* norms = nullptr;
};

/// scores [queries.count][n]: how close rows first .. first + n - 1 are: the inner product, or less
/// the squared distance. With int8 storage approximately, and without what all rows share. `sums`
/// is room for its own use, which need not be made anew for every block.
void score_rows(const VectorLayout& layout, const StoredRows& rows, std::size_t first,
                std::size_t n, const PreparedQueries& queries, std::span<float> scores,
                std::vector<std::int32_t>& sums);

/// The same for one vector, from its float32 elements.
float exact_score(Metric metric, std::span<const float> vector, std::span<const float> query);

}  // namespace hearth::retrieval
