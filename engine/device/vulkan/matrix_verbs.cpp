// The verbs that read weights.
#include <algorithm>
#include <cmath>

#include "engine/device/vulkan/verbs.h"

namespace hearth::vulkan {
namespace {

/// Up to this many rows of x a matrix is read once, and each weight meets all of them in registers.
constexpr int kMostColumns = 8;

/// Of EPILOGUE in shaders/common/epilogue.glsl.
enum EpilogueBit : std::uint32_t { kHasBias = 1, kHasActivation = 2, kIsSum = 4, kIsGated = 8 };

std::uint32_t epilogue_of(const Device::Product& product) {
  return (product.bias ? kHasBias : 0U) | (product.activation ? kHasActivation : 0U) |
         (product.sum ? kIsSum : 0U);
}

std::uint32_t number_of(const std::optional<Activation>& activation) {
  return activation ? static_cast<std::uint32_t>(*activation) : 0U;
}

/// A unit of x as bytes: 32 of them, and four words of scales (shaders/common/bytes.glsl).
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
         .groups = groups_for(units * ids.size(), tuning_.plain_lanes)});
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
  const std::uint64_t room =
      bytes_room(options_.partial_bytes) / (kQuantisedUnitBytes * units_of(columns));
  HEARTH_CHECK(room > 0);
  return static_cast<int>(room > kRowsOfATile ? room / kRowsOfATile * kRowsOfATile : room);
}

/// Whether the bytes that are there are those of x.
bool ComputeDevice::has_bytes(Tensor x) const {
  return bytes_of_ == bind(x).area;
}

/// Whether products may follow that take x as bytes, so that who writes x may leave them.
bool ComputeDevice::wants_bytes(Tensor x) const {
  return has_integer_weights_ && !is_in_halves(x.rows) && x.columns % kUnit == 0 &&
         x.rows <= quantised_rows(x.columns);
}

void ComputeDevice::bytes_are_of(Tensor x) {
  bytes_of_ = bind(x).area;
}

/// x as bytes, unless it is there.
void ComputeDevice::quantise(Tensor x) {
  if (has_bytes(x)) return;
  const std::uint64_t quads = 8 * units_of(x.columns) * static_cast<std::uint64_t>(x.rows);
  run({.verb = "quantise",
       .module = "quantise",
       .constants = {tuning_.plain_lanes},
       .bindings = {bind(x), bind(bytes_)},
       .push = push_words(x.rows, x.columns, x.offset, x.stride),
       .groups = groups_for(quads, tuning_.plain_lanes)});
  bytes_are_of(x);
}

/// The end of PRODUCT_PUSH in shaders/common/weights.glsl, and where x is.
ComputeDevice::Input ComputeDevice::input_of(Tensor x, Tensor out, bool in_integers) const {
  if (!in_integers) {
    return {.bound = bind(x),
            .push = push_words(x.offset, x.stride, out.offset, out.stride, x.rows, 0),
            .is_aligned = is_aligned(x)};
  }
  const std::uint64_t units = units_of(x.columns);
  const std::uint64_t scales_at = 2 * units * static_cast<std::uint64_t>(x.rows);
  return {.bound = bind(bytes_),
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
    for (Product product : products) {
      product.out = product.out.row_range(first, n);
      if (product.sum) product.sum = product.sum.row_range(first, n);
      multiply(product, part);
    }
  }
}

/// Few rows of x, and both matrices in what a shader sees of one buffer: one dispatch.
void ComputeDevice::gated_matmul(const Product& gate, const Product& up, Tensor x,
                                 Activation activation) {
  if (x.rows > kMostColumns || !gate_is_near(gate, up)) {
    Device::gated_matmul(gate, up, x, activation);
    return;
  }
  const SlicedMatrix& w = sliced(*up.w);
  if (is_in_integers(w, x.rows)) quantise(x);
  const Piece& near = w.slices[0];
  const Piece& far = sliced(*gate.w).slices[0];
  const std::uint64_t first = std::min(near.offset, far.offset);
  const std::uint64_t end = std::max(near.offset + near.bytes, far.offset + far.bytes);
  const Bound both = {{near.buffer, first, end - first},
                      {.buffer = near.buffer, .first = first, .bytes = end - first}};
  MatrixSlice slice = w.layout.slices[0];
  for (std::uint32_t& at : slice.plane_at)
    at += static_cast<std::uint32_t>((near.offset - first) / 4);
  slice.bytes *= 2;
  // Modulo 2^32: the gate may lie before the matrix.
  const auto shift = static_cast<std::uint32_t>((far.offset - near.offset) / 4);
  multiply_few(up, x, both, slice, {.is_there = true, .shift = shift, .activation = activation});
}

bool ComputeDevice::gate_is_near(const Product& gate, const Product& up) const {
  const SlicedMatrix& a = sliced(*gate.w);
  const SlicedMatrix& b = sliced(*up.w);
  if (a.type != b.type || a.rows() != b.rows() || gate.bias || up.bias) return false;
  if (a.slices.size() != 1 || b.slices.size() != 1) return false;
  const Piece& of_a = a.slices[0];
  const Piece& of_b = b.slices[0];
  const std::uint64_t first = std::min(of_a.offset, of_b.offset);
  const std::uint64_t end = std::max(of_a.offset + of_a.bytes, of_b.offset + of_b.bytes);
  return of_a.buffer == of_b.buffer && end - first <= max_binding();
}

/// Lanes that share the units of a row: as many as can be without leaving many of them idle at its
/// end. All that a workgroup reads in one go is under way at once.
std::uint32_t ComputeDevice::matvec_lanes(int columns, std::uint32_t n, bool in_integers) const {
  constexpr std::uint32_t kLeastLanes = 32;
  constexpr std::uint32_t kMostSums = 2048;  // in shared memory
  const std::uint32_t most_sums = std::bit_floor(kMostSums / (tuning_.matvec_rows * n));
  std::uint32_t most = std::min(tuning_.matvec_lanes, std::max(most_sums, kLeastLanes));
  if (!in_integers && tuning_.stages_input) most = std::min(most, 64U);  // 9 KiB of x
  if (tuning_.is_fixed) return std::min(most, tuning_.matvec_lanes);
  const auto units = static_cast<double>(units_of(columns));
  const auto busy = [&](std::uint32_t lanes) { return units / (std::ceil(units / lanes) * lanes); };
  std::uint32_t best = most;
  for (std::uint32_t lanes = most / 2; lanes >= kLeastLanes; lanes /= 2) {
    if (busy(lanes) > busy(best) + 0.1) best = lanes;
  }
  return best;
}

/// A shader that has many columns, in square tiles.
struct ComputeDevice::TiledShader {
  const char* module;
  std::uint32_t lanes;
  std::uint32_t tile;
  std::uint32_t micro;
};

ComputeDevice::TiledShader ComputeDevice::tiled_shader(bool in_integers, std::uint64_t rows,
                                                       std::uint64_t n) const {
  const bool is_enough =
      groups_for(rows, tuning_.tile) * groups_for(n, tuning_.tile) >= tuning_.enough_tiles;
  const std::uint32_t tile = is_enough ? tuning_.tile : tuning_.tile / 2;
  const std::uint32_t across = tile / tuning_.micro;
  return {in_integers ? "gemm_dot" : "gemm", across * across, tile, tuning_.micro};
}

void ComputeDevice::multiply(const Product& product, Tensor x) {
  const SlicedMatrix& w = sliced(*product.w);
  HEARTH_CHECK(product.out.columns == w.rows() && x.columns == w.columns() &&
               product.out.rows == x.rows);
  for (std::size_t i = 0; i < w.slices.size(); ++i) {
    if (x.rows <= kMostColumns) {
      multiply_few(product, x, bind(w.slices[i]), w.layout.slices[i], {});
    } else {
      multiply_many(product, x, w.slices[i], w.layout.slices[i]);
    }
  }
}

namespace {

std::uint64_t work_of(const MatrixSlice& slice, const Tensor& x) {
  return static_cast<std::uint64_t>(slice.end_row - slice.first_row) *
         static_cast<std::uint64_t>(x.columns) * static_cast<std::uint64_t>(x.rows);
}

}  // namespace

void ComputeDevice::multiply_few(const Product& product, Tensor x, const Bound& weights,
                                 const MatrixSlice& slice, const Gate& gate) {
  const SlicedMatrix& w = sliced(*product.w);
  const Tensor out = product.result();
  const auto n = static_cast<std::uint32_t>(x.rows);
  const bool in_integers = is_in_integers(w, x.rows);
  const Input input = input_of(x, out, in_integers);
  const std::uint32_t rows =
      gate.is_there ? std::max(tuning_.matvec_rows / 2, 1U) : tuning_.matvec_rows;
  const std::uint32_t epilogue = epilogue_of(product) | (gate.is_there ? kIsGated : 0U);
  const std::uint32_t activation =
      gate.is_there ? number_of(gate.activation) : number_of(product.activation);
  run({.verb = "matmul",
       .module = in_integers ? "matvec_dot" : "matvec",
       .constants = {matvec_lanes(x.columns, n, in_integers), static_cast<std::uint32_t>(w.type),
                     rows, n, input.is_aligned, epilogue, activation, tuning_.stages_input},
       .bindings = {weights, input.bound, bind(part_of(out, slice)), bias_of(product, input.bound)},
       .push = weight_push(w, slice) + input.push + push_words(product.bias.offset, gate.shift),
       .groups = groups_for(static_cast<std::uint64_t>(slice.end_row - slice.first_row), rows),
       .bytes = slice.bytes,
       .work = work_of(slice, x) * (gate.is_there ? 2 : 1)});
}

void ComputeDevice::multiply_many(const Product& product, Tensor x, const Piece& piece,
                                  const MatrixSlice& slice) {
  const SlicedMatrix& w = sliced(*product.w);
  const bool in_integers = is_in_integers(w, x.rows);
  const auto rows = static_cast<std::uint64_t>(slice.end_row - slice.first_row);
  const auto n = static_cast<std::uint64_t>(x.rows);
  const TiledShader tiled = tiled_shader(in_integers, rows, n);
  const Tensor out = product.result();
  const Input input = input_of(x, out, in_integers);
  run({.verb = "matmul",
       .module = tiled.module,
       .constants = {tiled.lanes, static_cast<std::uint32_t>(w.type), tiled.tile, tiled.micro,
                     input.is_aligned, epilogue_of(product), number_of(product.activation)},
       .bindings = {bind(piece), input.bound, bind(part_of(out, slice)),
                    bias_of(product, input.bound)},
       .push = weight_push(w, slice) + input.push + push_words(product.bias.offset),
       .groups = groups_for(rows, tiled.tile) * groups_for(n, tiled.tile),
       .bytes = slice.bytes,
       .work = work_of(slice, x)});
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
         .constants = {matvec_lanes(x.columns, 1, in_integers), static_cast<std::uint32_t>(w.type),
                       tuning_.matvec_rows, 1, input.is_aligned},
         .bindings = {bind(w.slices[i]), input.bound, bind(out), bind(chosen)},
         .push = weight_push(w, w.layout.slices[i]) + input.push +
                 push_words(out.columns, chosen.columns, x.rows == out.rows, chosen.offset,
                            chosen.stride),
         .grid = {static_cast<std::uint32_t>(groups_for(row_groups, lines)),
                  static_cast<std::uint32_t>(lines), static_cast<std::uint32_t>(out.rows)},
         .work = static_cast<std::uint64_t>(out.rows) * static_cast<std::uint64_t>(out.columns) *
                 static_cast<std::uint64_t>(x.columns)});
  }
}

}  // namespace hearth::vulkan
