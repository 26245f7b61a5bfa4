// The verbs that read weights.
#include <algorithm>

#include "engine/device/vulkan/compute_device.h"

namespace hearth::vulkan {
namespace {

/// Up to this many rows of x a matrix is read once, and each weight meets all of them in registers.
constexpr int kMostColumns = 8;

const SlicedMatrix& sliced(const Matrix& matrix) {
  return static_cast<const SlicedMatrix&>(matrix);
}

/// What WEIGHT_PUSH in shaders/common/weights.glsl takes, and which rows of the matrix there are.
PushWords weight_push(const SlicedMatrix& w, const MatrixSlice& slice) {
  PushWords push;
  for (const std::uint32_t at : slice.plane_at) push.words[push.n++] = at;
  for (const std::uint32_t words : w.layout.row_words) push.words[push.n++] = words;
  push.words[push.n++] = static_cast<std::uint32_t>(slice.first_row);
  push.words[push.n++] = static_cast<std::uint32_t>(slice.end_row);
  push.words[push.n++] = static_cast<std::uint32_t>(w.columns());
  return push;
}

PushWords operator+(PushWords a, const PushWords& b) {
  std::copy_n(b.words.begin(), b.n, a.words.begin() + a.n);
  a.n += b.n;
  return a;
}

/// Whether a shader may read x as vectors of four, unit by unit.
bool is_aligned(const Tensor& x) {
  return x.offset % 4 == 0 && x.stride % 4 == 0 && x.columns % kUnit == 0;
}

std::uint64_t groups_for(std::uint64_t n, std::uint64_t at_once) {
  return (n + at_once - 1) / at_once;
}

}  // namespace

void ComputeDevice::get_rows(Tensor out, const Matrix& table, std::span<const std::int32_t> ids) {
  HEARTH_CHECK(out.columns == table.columns() && static_cast<std::size_t>(out.rows) == ids.size());
  const SlicedMatrix& w = sliced(table);
  ensure_step_buffer(out.rows);
  const StepLayout layout = step_layout(step_rows_);
  if (layout.ids_at + ids_used_ + ids.size() > layout.tables_at) {
    finish();
    ids_used_ = 0;
  }
  const std::uint64_t ids_at = layout.ids_at + ids_used_;
  ids_used_ += ids.size();
  auto* words = static_cast<std::uint32_t*>(static_cast<void*>(step_buffer_.mapped)) + ids_at;
  for (const std::int32_t id : ids) {
    HEARTH_CHECK(id >= 0 && id < table.rows());
    *words++ = static_cast<std::uint32_t>(id);
  }
  const std::uint64_t units = groups_for(static_cast<std::uint64_t>(out.columns), kUnit);
  for (std::size_t i = 0; i < w.slices.size(); ++i) {
    run({.verb = "get_rows",
         .module = "get_rows",
         .constants = {tuning_.plain_lanes, static_cast<std::uint32_t>(w.type)},
         .bindings = {bind(w.slices[i]), bind(out), bind(step_buffer_)},
         .push = weight_push(w, w.layout.slices[i]) +
                 push_words(out.rows, out.offset, out.stride, ids_at),
         .groups = groups_for(units * ids.size(), tuning_.plain_lanes),
         .is_independent = i > 0});
  }
}

void ComputeDevice::matmul(Tensor out, const Matrix& w, Tensor x) {
  multiply(out, w, x, false);
}

void ComputeDevice::matmuls(std::span<const Product> products, Tensor x) {
  bool is_independent = false;
  for (const Product& product : products) {
    multiply(product.out, *product.w, x, is_independent);
    is_independent = true;
  }
}

void ComputeDevice::multiply(Tensor out, const Matrix& matrix, Tensor x, bool is_independent) {
  HEARTH_CHECK(out.columns == matrix.rows() && x.columns == matrix.columns() && out.rows == x.rows);
  const SlicedMatrix& w = sliced(matrix);
  const auto type = static_cast<std::uint32_t>(w.type);
  const auto n = static_cast<std::uint32_t>(x.rows);
  for (std::size_t i = 0; i < w.slices.size(); ++i) {
    const MatrixSlice& slice = w.layout.slices[i];
    const auto rows = static_cast<std::uint64_t>(slice.end_row - slice.first_row);
    const std::uint64_t work = rows * static_cast<std::uint64_t>(w.columns()) * n;
    if (x.rows <= kMostColumns) {
      run({.verb = "matmul",
           .module = "matvec",
           .constants = {tuning_.matvec_lanes, type, tuning_.matvec_rows, n, is_aligned(x)},
           .bindings = {bind(w.slices[i]), bind(x), bind(out)},
           .push = weight_push(w, slice) + push_words(x.offset, x.stride, out.offset, out.stride),
           .groups = groups_for(rows, tuning_.matvec_rows),
           .is_independent = is_independent,
           .bytes = slice.bytes,
           .work = work});
    } else {
      run({.verb = "matmul",
           .module = "gemm",
           .constants = {tuning_.tile / tuning_.micro * (tuning_.tile / tuning_.micro), type,
                         tuning_.tile, tuning_.micro},
           .bindings = {bind(w.slices[i]), bind(x), bind(out)},
           .push =
               weight_push(w, slice) + push_words(n, x.offset, x.stride, out.offset, out.stride),
           .groups = groups_for(rows, tuning_.tile) * groups_for(n, tuning_.tile),
           .is_independent = is_independent,
           .bytes = slice.bytes,
           .work = work});
    }
    is_independent = true;
  }
}

void ComputeDevice::expert_matmul(Tensor out, const Matrix& stacked, Tensor x, Tensor chosen) {
  const int n_choices = chosen.rows * chosen.columns;
  HEARTH_CHECK(out.rows == n_choices && (x.rows == chosen.rows || x.rows == n_choices));
  HEARTH_CHECK(x.columns == stacked.columns() && stacked.rows() % out.columns == 0);
  const SlicedMatrix& w = sliced(stacked);
  const auto most =
      static_cast<int>(gpu_.limits().maxComputeWorkGroupCount[2]) / chosen.columns * chosen.columns;
  const std::uint64_t row_groups =
      groups_for(static_cast<std::uint64_t>(out.columns), tuning_.matvec_rows);
  const std::uint64_t lines = groups_for(row_groups, gpu_.limits().maxComputeWorkGroupCount[0]);
  bool is_independent = false;
  for (int first = 0; first < n_choices; first += most) {
    const int n = std::min(most, n_choices - first);
    const bool per_choice = x.rows == n_choices;
    const Tensor to = out.row_range(first, n);
    const Tensor from = per_choice ? x.row_range(first, n)
                                   : x.row_range(first / chosen.columns, n / chosen.columns);
    const Tensor choices = chosen.row_range(first / chosen.columns, n / chosen.columns);
    for (std::size_t i = 0; i < w.slices.size(); ++i) {
      run({.verb = "expert_matmul",
           .module = "expert_matvec",
           .constants = {tuning_.matvec_lanes, static_cast<std::uint32_t>(w.type),
                         tuning_.matvec_rows, 1, is_aligned(from)},
           .bindings = {bind(w.slices[i]), bind(x), bind(out), bind(chosen)},
           .push = weight_push(w, w.layout.slices[i]) +
                   push_words(from.offset, from.stride, to.offset, to.stride, out.columns,
                              chosen.columns, per_choice, choices.offset, choices.stride),
           .grid = {static_cast<std::uint32_t>(groups_for(row_groups, lines)),
                    static_cast<std::uint32_t>(lines), static_cast<std::uint32_t>(n)},
           .is_independent = is_independent,
           .work = static_cast<std::uint64_t>(n) * static_cast<std::uint64_t>(out.columns) *
                   static_cast<std::uint64_t>(x.columns)});
      is_independent = true;
    }
  }
}

}  // namespace hearth::vulkan
