// Experts: every choice of a token uses another matrix of a stack. Choices of the same expert are
// multiplied together.
#include <algorithm>
#include <vector>

#include "engine/device/cpu/cpu_device.h"
#include "engine/device/host_buffer.h"
#include "kernels/panels.h"

namespace hearth {
namespace {

constexpr int kColumns = kernels::kStripColumns;

/// At most kColumns choices of one expert.
struct Batch {
  std::int64_t expert;
  std::vector<int> choices;
};

std::vector<Batch> batches_of(const Tensor& chosen, std::int64_t n_experts) {
  std::vector<std::vector<int>> of_expert(static_cast<std::size_t>(n_experts));
  for (int i = 0; i < chosen.rows * chosen.columns; ++i) {
    const auto e = static_cast<std::size_t>(row_of(chosen, i / chosen.columns)[i % chosen.columns]);
    HEARTH_CHECK(e < of_expert.size());
    of_expert[e].push_back(i);
  }
  std::vector<Batch> batches;
  for (std::size_t e = 0; e < of_expert.size(); ++e) {
    for (std::size_t at = 0; at < of_expert[e].size(); at += kColumns) {
      const std::size_t n = std::min<std::size_t>(kColumns, of_expert[e].size() - at);
      const auto first = of_expert[e].begin() + static_cast<std::ptrdiff_t>(at);
      batches.push_back(
          {static_cast<std::int64_t>(e), {first, first + static_cast<std::ptrdiff_t>(n)}});
    }
  }
  return batches;
}

}  // namespace

void CpuDevice::expert_matmul(Tensor out, const Matrix& stacked, Tensor x, Tensor chosen) {
  const PanelMatrix& w = panels_of(stacked);
  const int n_choices = chosen.rows * chosen.columns;
  HEARTH_CHECK(out.rows == n_choices && (x.rows == chosen.rows || x.rows == n_choices));
  HEARTH_CHECK(x.columns == w.columns() && out.columns == w.rows_per_matrix());
  const std::vector<Batch> batches = batches_of(chosen, w.rows() / w.rows_per_matrix());

  StripSet& set = strips_[static_cast<std::size_t>(w.kernel().strip)];
  std::vector<const float*> rows;
  rows.reserve(static_cast<std::size_t>(n_choices));
  std::vector<std::span<const float* const>> groups;
  for (const Batch& batch : batches) {
    const std::size_t first = rows.size();
    for (const int i : batch.choices) {
      rows.push_back(row_of(x, x.rows == n_choices ? i : i / chosen.columns));
    }
    groups.emplace_back(rows.data() + first, batch.choices.size());
  }
  set.fill_groups(kernels_, w.kernel().strip, groups, static_cast<std::size_t>(x.columns), pool_);

  const std::int64_t n_items = static_cast<std::int64_t>(batches.size()) * w.panels_per_matrix();
  for_items(n_items, w.columns() * w.kernel().lanes, [&](std::int64_t first, std::int64_t last) {
    float result[kColumns][kernels::kMostLanes];
    std::vector<std::byte> scratch(w.needs_scratch() ? w.panel_bytes() : 0);
    for (std::int64_t item = first; item < last; ++item) {
      const auto b = static_cast<std::size_t>(item / w.panels_per_matrix());
      const std::int64_t panel = item % w.panels_per_matrix();
      const auto n_rows = static_cast<std::size_t>(w.rows_of(panel, 1));
      w.kernel().multiply(w.panels(batches[b].expert, panel, 1, scratch.data()), n_rows,
                          set.strips()[b], {.at = &result[0][0], .stride = kernels::kMostLanes});
      for (std::size_t c = 0; c < batches[b].choices.size(); ++c) {
        std::copy_n(result[c], n_rows,
                    row_of(out, batches[b].choices[c]) + panel * w.kernel().lanes);
      }
    }
  });
}

}  // namespace hearth
