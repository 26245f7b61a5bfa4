// What the kernels on wide strips have in common: the walk over panels and blocks, and the vectors
// they are written in. The statement: scalar/matmul.h.
#pragma once

#include "kernels/amx/tiles.h"
#include "kernels/avx512/simd.h"
#include "kernels/generic/codec.h"
#include "kernels/kernel_table.h"
#include "kernels/panels.h"

namespace hearth::kernels {
namespace {

/// Tiles multiply signed bytes, so there is no use for quants that are scaled up.
struct TileSimd : Simd {
  static constexpr bool kFullRangeDot = false;
};

using Int = TileSimd::Int;
using Float = TileSimd::Float;

inline constexpr int kGroup = kTileRows;  // columns that a tile has
/// Panels that use the same block of the strip one after the other, while it is in a cache.
inline constexpr int kPanelsTogether = 4;

/// The quads of sub-block s as signed bytes.
template <class Codec, class Block>
inline Int signed_quad(const Block& w, int s, int i) {
  const Int quad = w.quad(s, i);
  if constexpr (Codec::kOperand == Operand::offset) {
    return _mm512_sub_epi8(quad, TileSimd::set(four(1 << Codec::kLogOffset)));
  } else {
    return quad;
  }
}

/// The wide strip from element `first` on, the same width.
inline Strip wide_strip_from(const Strip& x, std::size_t first) {
  const auto width = static_cast<std::size_t>(x.width);
  const std::size_t block = scale_block(x.kind);
  Strip at = x;
  at.quants += first / kWideRun * kWideRun * width;
  at.scales += first / block * width;
  at.bias += first / (block == 32 ? 32 : 16) * width;
  if (at.sum_pairs) at.sum_pairs += first / 64 * width;
  return at;
}

/// The sums of all columns of a few panels to their places.
inline void store_sums(const Float* sums, std::size_t n_rows, int n_columns, float* out,
                       std::size_t out_stride) {
  for (int c = 0; c < n_columns; ++c, out += out_stride) {
    if (n_rows >= Simd::kLanes) {
      Simd::store(out, sums[c]);
    } else {
      Simd::store_first(out, sums[c], n_rows);
    }
  }
}

/// MultiplyPanels (kernel_table.h) on a wide strip. A Tile is made of a panel; its add() adds
/// Tile::kElements of every column, or what is left, from an element on to the sums of the columns.
template <class Tile>
void multiply_wide(const void* panels, std::size_t n_rows, const Strip& x, float* out,
                   std::size_t out_stride) {
  const auto* bytes = static_cast<const std::byte*>(panels);
  const std::size_t panel = panel_bytes(Tile::kType, x.length, Simd::kLanes);
  static constexpr TileShapes kShapes = Tile::shapes();
  const TilesInUse tiles_in_use(kShapes);
  constexpr std::size_t kRows = kPanelsTogether * Simd::kLanes;
  for (std::size_t row = 0; row < n_rows; row += kRows) {
    const std::size_t left = n_rows - row;
    const auto n_panels =
        static_cast<int>(left >= kRows ? kPanelsTogether : (left + Simd::kLanes - 1) / Simd::kLanes);
    alignas(64) Float sums[kPanelsTogether][kWideStripColumns];
    Tile tiles[kPanelsTogether];
    for (int p = 0; p < n_panels; ++p, bytes += panel) {
      tiles[p] = Tile(bytes, x.length);
      for (int c = 0; c < x.width; ++c) sums[p][c] = Simd::zero_float();
    }
    for (std::size_t k = 0; k < x.length; k += Tile::kElements) {
      const Strip at = wide_strip_from(x, k);
      for (int p = 0; p < n_panels; ++p) tiles[p].add(k, x.length - k, at, sums[p]);
    }
    for (int p = 0; p < n_panels; ++p) {
      const std::size_t first = row + static_cast<std::size_t>(p) * Simd::kLanes;
      store_sums(sums[p], n_rows - first, x.n_columns, out + first, out_stride);
    }
  }
}

}  // namespace
}  // namespace hearth::kernels
