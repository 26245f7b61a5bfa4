// From a strip and a run of panels to tiles: which columns and how many panels at once.
#pragma once

#include "kernels/kernel_table.h"
#include "kernels/panels.h"

namespace hearth::kernels {
namespace {

/// Writes one panel's sums: lane r of sums[c] is row r of column c.
template <class S, int kColumns>
inline void store_panel(const typename S::Float (&sums)[kColumns], std::size_t n_rows,
                        int n_columns, float* out, std::size_t out_stride) {
#pragma GCC unroll 12
  for (int c = 0; c < kColumns; ++c) {
    if (c >= n_columns) break;
    float* to = out + static_cast<std::size_t>(c) * out_stride;
    if (n_rows >= S::kLanes) {
      S::store(to, sums[c]);
    } else {
      S::store_first(to, sums[c], n_rows);
    }
  }
}

/// One tile after the other over all panels, kPanels at a time. Those are far apart: memory serves
/// several streams faster than one.
template <class S, class Tile, int kColumns, int kPanels>
void walk_panels(const std::byte* panels, std::size_t n_rows, const Strip& x, int column,
                 float* out, std::size_t out_stride) {
  const std::size_t bytes = panel_bytes(Tile::kType, x.length, S::kLanes);
  const std::size_t second_plane = plane_offset(panel_layout(Tile::kType), 1, x.length, S::kLanes);
  const std::size_t n_panels = (n_rows + S::kLanes - 1) / S::kLanes;
  const std::size_t apart = (n_panels + kPanels - 1) / kPanels;
  float* first = out + static_cast<std::size_t>(column) * out_stride;
  for (std::size_t i = 0; i < apart; ++i) {
    const std::byte* tile[kPanels];
    std::size_t number[kPanels];
    for (std::size_t p = 0; p < kPanels; ++p) {
      number[p] = p * apart + i < n_panels ? p * apart + i : i;  // the last stream may be shorter
      tile[p] = panels + number[p] * bytes;
    }
    typename S::Float sums[kPanels][kColumns];
    Tile::template run<kPanels, kColumns>(tile, second_plane, x, column, sums);
    for (std::size_t p = 0; p < kPanels; ++p) {
      store_panel<S>(sums[p], n_rows - number[p] * S::kLanes, x.n_columns - column,
                     first + number[p] * S::kLanes, out_stride);
    }
  }
}

/// Pairs of panels beside one half of a strip's columns and then the other.
template <class S, class Tile>
void walk_pairs(const std::byte* panels, std::size_t n_rows, const Strip& x, float* out,
                std::size_t out_stride) {
  constexpr int kHalf = kStripColumns / 2;
  const std::size_t bytes = panel_bytes(Tile::kType, x.length, S::kLanes);
  const std::size_t second_plane = plane_offset(panel_layout(Tile::kType), 1, x.length, S::kLanes);
  const std::size_t n_panels = (n_rows + S::kLanes - 1) / S::kLanes;
  for (std::size_t first = 0; first < n_panels; first += 2) {
    const std::size_t second = first + 1 < n_panels ? first + 1 : first;
    const std::byte* const tile[2] = {panels + first * bytes, panels + second * bytes};
    for (int column = 0; column < kStripColumns; column += kHalf) {
      typename S::Float sums[2][kHalf];
      Tile::template run_pair<kHalf>(tile, second_plane, x, column, sums);
      float* to = out + static_cast<std::size_t>(column) * out_stride;
      store_panel<S>(sums[0], n_rows - first * S::kLanes, x.n_columns - column,
                     to + first * S::kLanes, out_stride);
      if (second == first) continue;
      store_panel<S>(sums[1], n_rows - second * S::kLanes, x.n_columns - column,
                     to + second * S::kLanes, out_stride);
    }
  }
}

/// MultiplyPanels (kernel_table.h) of a type's Tile.
template <class S, class Tile>
void multiply_panels(const void* panels, std::size_t n_rows, const Strip& x, float* out,
                     std::size_t out_stride) {
  const auto* bytes = static_cast<const std::byte*>(panels);
  if constexpr (requires { requires Tile::kInPairs; }) {
    if (x.width == kStripColumns) {
      walk_pairs<S, Tile>(bytes, n_rows, x, out, out_stride);
      return;
    }
  }
  // A strip wider than a tile is done in halves.
  const int n_columns = x.width > S::kMostColumns ? x.width / 2 : x.width;
  for (int column = 0; column < x.width; column += n_columns) {
    switch (n_columns) {
      case 1:
        walk_panels<S, Tile, 1, 8>(bytes, n_rows, x, column, out, out_stride);
        break;
      case 2:
        walk_panels<S, Tile, 2, 8>(bytes, n_rows, x, column, out, out_stride);
        break;
      case 4:
        walk_panels<S, Tile, 4, 8>(bytes, n_rows, x, column, out, out_stride);
        break;
      case 6:
        walk_panels<S, Tile, 6, 1>(bytes, n_rows, x, column, out, out_stride);
        break;
      default:
        if constexpr (S::kMostColumns >= 8) {
          if (n_columns == 8) {
            walk_panels<S, Tile, 8, 1>(bytes, n_rows, x, column, out, out_stride);
          } else {
            walk_panels<S, Tile, 12, 1>(bytes, n_rows, x, column, out, out_stride);
          }
        }
    }
  }
}

}  // namespace
}  // namespace hearth::kernels
