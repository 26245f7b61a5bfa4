// A weight matrix as the CPU's kernels read it: panels of rows (kernels/panels.h), packed once at
// load, or each time anew from the file's map.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/device/cpu/huge_pages.h"
#include "engine/device/tensor.h"
#include "engine/device/thread_pool.h"
#include "kernels/kernel_table.h"

namespace hearth {

/// The matrices that are stacked in one (experts) have panels of their own: a panel never holds
/// rows of two.
class PanelMatrix final : public Matrix {
 public:
  enum class Keep : std::uint8_t { packed, mapped };

  /// packed: packs all panels into the arena, shared out over the pool, and drops the file's pages
  /// behind. The kernels must outlive it.
  PanelMatrix(const HostMatrix& host, const kernels::KernelTable& kernels, Keep keep,
              HugePageArena& arena, ThreadPool& pool);

  QuantType type() const { return type_; }
  const kernels::MatmulKernel& kernel() const { return kernels_.matmul[type_]; }
  const kernels::MatmulKernel& kernel_for(int n_columns) const {
    return kernels_.matmul_for(type_, n_columns);
  }

  std::int64_t rows_per_matrix() const { return rows_per_matrix_; }
  std::int64_t panels_per_matrix() const { return panels_per_matrix_; }
  std::size_t panel_bytes() const { return panel_bytes_; }

  /// Rows of panels [first, first + n) of one matrix.
  std::int64_t rows_of(std::int64_t first_panel, std::int64_t n_panels) const;

  /// Panels [first, first + n) of matrix `which`, one after the other. They may lie in `scratch`,
  /// of n * panel_bytes(), which a mapped matrix needs and a packed one does not.
  const std::byte* panels(std::int64_t which, std::int64_t first, std::int64_t n,
                          std::byte* scratch) const;
  bool needs_scratch() const { return packed_.data == nullptr; }

  /// Row `row` of all of them, as floats [columns].
  void read_row(std::int64_t row, float* out) const;

  /// Row `row` and those after it as they stand in the file, whose pages may have to come back.
  const std::byte* file_rows(std::int64_t row) const {
    return file_rows_ + static_cast<std::size_t>(row) * row_bytes_;
  }

 private:
  void pack(std::int64_t which, std::int64_t first, std::int64_t n, std::byte* to) const;

  const kernels::KernelTable& kernels_;
  QuantType type_;
  std::int64_t rows_per_matrix_;
  std::int64_t panels_per_matrix_;
  std::size_t panel_bytes_;
  std::size_t row_bytes_;
  const std::byte* file_rows_;
  HugePageArena::Piece packed_;
};

/// A matrix that a CpuDevice loaded.
inline const PanelMatrix& panels_of(const Matrix& matrix) {
  return static_cast<const PanelMatrix&>(matrix);
}

}  // namespace hearth
