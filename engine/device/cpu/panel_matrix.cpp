#include "engine/device/cpu/panel_matrix.h"

#include <algorithm>
#include <vector>

#include "kernels/panels.h"

namespace hearth {
namespace {

/// File bytes that a thread packs before it lets go of their pages: little enough that the file's
/// pages do not add to the memory in use.
constexpr std::size_t kPackedAtOnce = std::size_t{4} << 20;

std::byte* row_scratch(std::size_t bytes) {
  thread_local std::vector<std::byte> scratch;
  if (scratch.size() < bytes) scratch.resize(bytes);
  return scratch.data();
}

}  // namespace

PanelMatrix::PanelMatrix(const HostMatrix& host, const kernels::KernelTable& kernels, Keep keep,
                         HugePageArena& arena, ThreadPool& pool)
    : Matrix(host.name, host.rows, host.columns),
      kernels_(kernels),
      type_(host.type),
      rows_per_matrix_(host.rows / host.n_stacked),
      panels_per_matrix_((rows_per_matrix_ + kernel().lanes - 1) / kernel().lanes),
      panel_bytes_(
          kernels::panel_bytes(host.type, static_cast<std::size_t>(host.columns), kernel().lanes)),
      row_bytes_(row_bytes(quant_type_info(host.type), static_cast<std::size_t>(host.columns))),
      file_rows_(host.data.data()) {
  HEARTH_CHECK(kernel().multiply != nullptr && host.rows % host.n_stacked == 0);
  HEARTH_CHECK(host.data.size() == row_bytes_ * static_cast<std::size_t>(host.rows));
  if (keep == Keep::mapped) return;
  const std::int64_t n_panels = panels_per_matrix_ * host.n_stacked;
  packed_ = arena.allocate(static_cast<std::size_t>(n_panels) * panel_bytes_);
  const auto at_once =
      static_cast<std::int64_t>(std::max<std::size_t>(1, kPackedAtOnce / panel_bytes_));
  pool.run(n_panels, [&](std::int64_t first, std::int64_t last) {
    while (first < last) {
      const std::int64_t which = first / panels_per_matrix_;
      const std::int64_t panel = first % panels_per_matrix_;
      const std::int64_t n = std::min({at_once, last - first, panels_per_matrix_ - panel});
      pack(which, panel, n, packed_.data + static_cast<std::size_t>(first) * panel_bytes_);
      if (host.is_mapped_file) {
        const auto first_row =
            static_cast<std::size_t>(which * rows_per_matrix_ + panel * kernel().lanes);
        const auto n_rows = static_cast<std::size_t>(rows_of(panel, n));
        drop_pages(host.data.subspan(first_row * row_bytes_, n_rows * row_bytes_));
      }
      first += n;
    }
  });
}

std::int64_t PanelMatrix::rows_of(std::int64_t first_panel, std::int64_t n_panels) const {
  const std::int64_t last = std::min((first_panel + n_panels) * kernel().lanes, rows_per_matrix_);
  return last - first_panel * kernel().lanes;
}

const std::byte* PanelMatrix::panels(std::int64_t which, std::int64_t first, std::int64_t n,
                                     std::byte* scratch) const {
  if (!needs_scratch()) {
    return packed_.data +
           static_cast<std::size_t>(which * panels_per_matrix_ + first) * panel_bytes_;
  }
  pack(which, first, n, scratch);
  return scratch;
}

void PanelMatrix::pack(std::int64_t which, std::int64_t first, std::int64_t n,
                       std::byte* to) const {
  for (std::int64_t panel = first; panel < first + n; ++panel, to += panel_bytes_) {
    const std::int64_t row = which * rows_per_matrix_ + panel * kernel().lanes;
    kernels::pack_panel(type_, file_rows_ + static_cast<std::size_t>(row) * row_bytes_,
                        static_cast<int>(rows_of(panel, 1)), static_cast<std::size_t>(columns()),
                        kernel().lanes, to);
  }
}

void PanelMatrix::read_row(std::int64_t row, float* out) const {
  const auto n = static_cast<std::size_t>(columns());
  if (needs_scratch()) {
    kernels_.dequantize_row[type_](file_rows_ + static_cast<std::size_t>(row) * row_bytes_, out, n);
    return;
  }
  const std::int64_t which = row / rows_per_matrix_;
  const std::int64_t in_matrix = row % rows_per_matrix_;
  const std::byte* panel = panels(which, in_matrix / kernel().lanes, 1, nullptr);
  std::byte* file_row = row_scratch(row_bytes_);
  kernels::unpack_row(type_, panel, static_cast<int>(in_matrix % kernel().lanes), n, kernel().lanes,
                      file_row);
  kernels_.dequantize_row[type_](file_row, out, n);
}

}  // namespace hearth
