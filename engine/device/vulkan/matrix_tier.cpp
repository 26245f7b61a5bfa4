// Prompts on cooperative matrices: products, whose input becomes half-precision numbers once for
// all matrices that it meets, and attention.
#include <algorithm>

#include "engine/device/vulkan/verbs.h"

namespace hearth::vulkan {
namespace {

/// Vectors of eight halves in a row that shaders/halve.comp leaves: whole steps of every tile.
std::uint64_t vectors_of(int columns) {
  const auto step = static_cast<std::uint64_t>(kMostTileUnits * kUnit);
  return (static_cast<std::uint64_t>(columns) + step - 1) / step * (step / 8);
}

}  // namespace

/// Tiles read whole rows past the last: there is room for as many as whole tiles have.
int ComputeDevice::rows_of_halves(int columns) const {
  const std::uint64_t tile_bytes = kMostTileRows * 16 * vectors_of(columns);
  const std::uint64_t tiles = options_.partial_bytes / tile_bytes;
  HEARTH_CHECK(tiles > 0);
  return static_cast<int>(tiles * kMostTileRows);
}

/// x in half precision, in `partial_`.
void ComputeDevice::halve(Tensor x) {
  const std::uint64_t vectors = vectors_of(x.columns);
  run({.verb = "quantise",
       .module = "halve",
       .constants = {tuning_.plain_lanes, is_aligned(x)},
       .bindings = {bind(x), bind(partial_)},
       .push = push_words(x.rows, x.columns, x.offset, x.stride, vectors),
       .groups = groups_for(vectors * static_cast<std::uint64_t>(x.rows), tuning_.plain_lanes)});
}

void ComputeDevice::matmuls_in_halves(std::span<const Product> products, Tensor x) {
  const int at_once = std::min(rows_of_halves(x.columns), x.rows);
  for (int first = 0; first < x.rows; first += at_once) {
    const int n = std::min(at_once, x.rows - first);
    const Tensor part = x.row_range(first, n);
    halve(part);
    for (const Product& product : products)
      multiply_in_halves(product.out.row_range(first, n), sliced(*product.w), part);
  }
  for (const Product& product : products) apply_epilogue(product);
}

void ComputeDevice::multiply_in_halves(Tensor out, const SlicedMatrix& w, Tensor x) {
  HEARTH_CHECK(out.columns == w.rows() && x.columns == w.columns() && out.rows == x.rows);
  const FragmentSupport& f = tiers_.fragments;
  const auto n = static_cast<std::uint64_t>(x.rows);
  for (std::size_t i = 0; i < w.slices.size(); ++i) {
    const MatrixSlice& slice = w.layout.slices[i];
    const auto rows = static_cast<std::uint64_t>(slice.end_row - slice.first_row);
    const MatrixTile tile =
        matrix_tile(rows, n, gpu_.limits().maxComputeSharedMemorySize, tuning_.busy_groups);
    run({.verb = "matmul",
         .module = "gemm_matrix",
         .constants = {kMatrixSubgroups * f.lanes, static_cast<std::uint32_t>(w.type), f.size.m,
                       f.size.k, f.size.m, f.size.n, tile.rows_w, tile.rows_x, tile.units},
         .bindings = {bind(w.slices[i]), bind(partial_), bind(part_of(out, slice))},
         .push = weight_push(w, slice) +
                 push_words(0, vectors_of(x.columns), out.offset, out.stride, x.rows, 0),
         .groups = tile.groups(rows, n),
         .subgroup = f.asks_for_lanes ? f.lanes : 0,
         .bytes = slice.bytes,
         .work = rows * static_cast<std::uint64_t>(w.columns()) * n});
  }
}

/// False if these heads are not for fragments.
bool ComputeDevice::attend_in_fragments(Tensor out, Tensor q, const PieceKvCache& kv,
                                        const AttentionSpec& spec, int first, int n_rows) {
  if (!tiers_.on.has(Tier::matrix)) return false;
  const FragmentSupport& f = tiers_.fragments;
  const auto dim_k = static_cast<std::uint32_t>(spec.head_dim_k);
  const auto dim_v = static_cast<std::uint32_t>(spec.head_dim_v);
  const FragmentBlock block =
      fragment_block(f.size, dim_k, dim_v, gpu_.limits().maxComputeSharedMemorySize);
  if (block.keys == 0) return false;
  const auto il = static_cast<std::size_t>(spec.layer);
  run({.verb = "attention",
       .module = "attn_block_matrix",
       .constants = {block.subgroups * f.lanes, static_cast<std::uint32_t>(kv.shape().type),
                     f.size.m, f.size.k, f.size.m, f.size.n, dim_k, dim_v, block.subgroups,
                     block.keys},
       .bindings = {bind(q), bind(kv.layers[il].k), bind(kv.layers[il].v), bind(out),
                    bind(step_buffer_)},
       .push = block_push(out, q, kv, spec, first, n_rows),
       .grid = {static_cast<std::uint32_t>(spec.n_head),
                static_cast<std::uint32_t>(groups_for(static_cast<std::uint64_t>(n_rows),
                                                      std::uint64_t{block.subgroups} * f.size.m)),
                1},
       .subgroup = f.asks_for_lanes ? f.lanes : 0,
       .work = block_work(spec, n_rows)});
  return true;
}

}  // namespace hearth::vulkan
