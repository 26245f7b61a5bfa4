// The verbs that read weights.
#include <algorithm>

#include "engine/device/vulkan/verbs.h"

namespace hearth::vulkan {
namespace {

/// Up to this many rows of x a matrix is read once, and each weight meets all of them in registers.
constexpr int kMostColumns = 8;

/// A unit of x as bytes: 32 of them, and four words of scales (shaders/quantise.comp).
constexpr std::uint64_t kQuantisedUnitBytes = 48;

/// Parts of x as bytes end where tiles of a product do.
constexpr std::uint64_t kRowsOfATile = 128;

std::uint64_t units_of(int columns) {
  return (static_cast<std::uint64_t>(columns) + kUnit - 1) / kUnit;
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
  const std::uint64_t units = units_of(out.columns);
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

/// Whether products of this matrix and n rows are those of integers: x then is what quantise()
/// leaves.
bool ComputeDevice::is_in_integers(const SlicedMatrix& w, int n) const {
  if (is_in_halves(n)) return false;
  return tiers_.on.has(Tier::dot) && quant_type_info(w.type).block_elements > 1;
}

/// Whether products of n rows are those of cooperative matrices.
bool ComputeDevice::is_in_halves(int n) const {
  return n > kMostColumns && tiers_.on.has(Tier::matrix);
}

/// Rows of x that there is room for at once when they are bytes.
int ComputeDevice::quantised_rows(int columns) const {
  const std::uint64_t room = options_.partial_bytes / (kQuantisedUnitBytes * units_of(columns));
  HEARTH_CHECK(room > 0);
  return static_cast<int>(room > kRowsOfATile ? room / kRowsOfATile * kRowsOfATile : room);
}

/// x as shaders/quantise.comp says, in `partial_`.
void ComputeDevice::quantise(Tensor x) {
  const std::uint64_t units = units_of(x.columns) * static_cast<std::uint64_t>(x.rows);
  run({.verb = "quantise",
       .module = "quantise",
       .constants = {tuning_.plain_lanes},
       .bindings = {bind(x), bind(partial_)},
       .push = push_words(x.rows, x.columns, x.offset, x.stride, 2 * units),
       .groups = groups_for(units, tuning_.plain_lanes)});
}

/// The end of PRODUCT_PUSH in shaders/common/weights.glsl, and where x is.
ComputeDevice::Input ComputeDevice::input_of(Tensor x, Tensor out, bool in_integers) const {
  if (!in_integers) {
    return {.binding = bind(x),
            .push = push_words(x.offset, x.stride, out.offset, out.stride, x.rows, 0),
            .is_aligned = is_aligned(x)};
  }
  const std::uint64_t units = units_of(x.columns);
  const std::uint64_t scales_at = 2 * units * static_cast<std::uint64_t>(x.rows);
  return {.binding = bind(partial_),
          .push = push_words(0, units, out.offset, out.stride, x.rows, scales_at),
          .is_aligned = true};
}

void ComputeDevice::matmul(Tensor out, const Matrix& w, Tensor x) {
  const Product product = {out, &w};
  matmuls(std::span(&product, 1), x);
}

void ComputeDevice::matmuls(std::span<const Product> products, Tensor x) {
  if (is_in_halves(x.rows)) {
    matmuls_in_halves(products, x);
    return;
  }
  const bool in_integers = std::any_of(
      products.begin(), products.end(),
      [&](const Product& product) { return is_in_integers(sliced(*product.w), x.rows); });
  const int at_once = in_integers ? std::min(quantised_rows(x.columns), x.rows) : x.rows;
  for (int first = 0; first < x.rows; first += at_once) {
    const int n = std::min(at_once, x.rows - first);
    const Tensor part = x.row_range(first, n);
    if (in_integers) quantise(part);
    bool is_independent = false;
    for (const Product& product : products) {
      multiply(product.out.row_range(first, n), sliced(*product.w), part, is_independent);
      is_independent = true;
    }
  }
  for (const Product& product : products) apply_epilogue(product);
}

/// A shader that has many columns, in square tiles.
struct ComputeDevice::TiledShader {
  const char* module;
  std::uint32_t lanes;
  std::uint32_t tile;
  std::uint32_t micro;
};

ComputeDevice::TiledShader ComputeDevice::tiled_shader(bool in_integers) const {
  const std::uint32_t micro = in_integers ? tuning_.micro_dot : tuning_.micro;
  const std::uint32_t across = tuning_.tile / micro;
  return {in_integers ? "gemm_dot" : "gemm", across * across, tuning_.tile, micro};
}

void ComputeDevice::multiply(Tensor out, const SlicedMatrix& w, Tensor x, bool is_independent) {
  HEARTH_CHECK(out.columns == w.rows() && x.columns == w.columns() && out.rows == x.rows);
  const auto type = static_cast<std::uint32_t>(w.type);
  const auto n = static_cast<std::uint32_t>(x.rows);
  const bool in_integers = is_in_integers(w, x.rows);
  const Input input = input_of(x, out, in_integers);
  const TiledShader tiled = tiled_shader(in_integers);
  for (std::size_t i = 0; i < w.slices.size(); ++i) {
    const MatrixSlice& slice = w.layout.slices[i];
    const auto rows = static_cast<std::uint64_t>(slice.end_row - slice.first_row);
    const std::uint64_t work = rows * static_cast<std::uint64_t>(w.columns()) * n;
    if (x.rows <= kMostColumns) {
      run({.verb = "matmul",
           .module = in_integers ? "matvec_dot" : "matvec",
           .constants = {tuning_.matvec_lanes, type, tuning_.matvec_rows, n, input.is_aligned},
           .bindings = {bind(w.slices[i]), input.binding, bind(out)},
           .push = weight_push(w, slice) + input.push,
           .groups = groups_for(rows, tuning_.matvec_rows),
           .is_independent = is_independent,
           .bytes = slice.bytes,
           .work = work});
    } else {
      run({.verb = "matmul",
           .module = tiled.module,
           .constants = {tiled.lanes, type, tiled.tile, tiled.micro},
           .bindings = {bind(w.slices[i]), input.binding, bind(out)},
           .push = weight_push(w, slice) + input.push,
           .groups = groups_for(rows, tiled.tile) * groups_for(n, tiled.tile),
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
  const bool per_choice = x.rows == n_choices;
  int most_tokens = static_cast<int>(gpu_.limits().maxComputeWorkGroupCount[2]) / chosen.columns;
  if (is_in_integers(w, 1)) {
    const int rows = quantised_rows(x.columns);
    most_tokens = std::min(most_tokens, per_choice ? rows / chosen.columns : rows);
  }
  HEARTH_CHECK(most_tokens > 0);
  for (int first = 0; first < chosen.rows; first += most_tokens) {
    const int n = std::min(most_tokens, chosen.rows - first);
    const int of_token = per_choice ? chosen.columns : 1;
    multiply_experts(out.row_range(first * chosen.columns, n * chosen.columns), w,
                     x.row_range(first * of_token, n * of_token), chosen.row_range(first, n));
  }
}

void ComputeDevice::multiply_experts(Tensor out, const SlicedMatrix& w, Tensor x, Tensor chosen) {
  const std::uint64_t row_groups =
      groups_for(static_cast<std::uint64_t>(out.columns), tuning_.matvec_rows);
  const std::uint64_t lines = groups_for(row_groups, gpu_.limits().maxComputeWorkGroupCount[0]);
  const bool in_integers = is_in_integers(w, 1);
  const Input input = input_of(x, out, in_integers);
  if (in_integers) quantise(x);
  for (std::size_t i = 0; i < w.slices.size(); ++i) {
    run({.verb = "expert_matmul",
         .module = in_integers ? "expert_matvec_dot" : "expert_matvec",
         .constants = {tuning_.matvec_lanes, static_cast<std::uint32_t>(w.type),
                       tuning_.matvec_rows, 1, input.is_aligned},
         .bindings = {bind(w.slices[i]), input.binding, bind(out), bind(chosen)},
         .push = weight_push(w, w.layout.slices[i]) + input.push +
                 push_words(out.columns, chosen.columns, x.rows == out.rows, chosen.offset,
                            chosen.stride),
         .grid = {static_cast<std::uint32_t>(groups_for(row_groups, lines)),
                  static_cast<std::uint32_t>(lines), static_cast<std::uint32_t>(out.rows)},
         .is_independent = i > 0,
         .work = static_cast<std::uint64_t>(out.rows) * static_cast<std::uint64_t>(out.columns) *
                 static_cast<std::uint64_t>(x.columns)});
  }
}

}  // namespace hearth::vulkan
