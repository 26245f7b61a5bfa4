// From a strip and a run of panels to tiles: which columns and how many panels at once.
#pragma once

#include <cstring>

#include "kernels/kernel_table.h"
#include "kernels/panels.h"

namespace hearth::kernels {
namespace {

/// Rows [0, n_rows) of a panel in the lanes, of which there may be more.
template <class S>
inline typename S::Float load_rows(const float* p, std::size_t n_rows) {
  if (n_rows >= S::kLanes) return S::load_float(reinterpret_cast<const std::byte*>(p));
  float rows[S::kLanes] = {};
  std::memcpy(rows, p, n_rows * sizeof *p);
  return S::load_float(reinterpret_cast<const std::byte*>(rows));
}

template <class S>
inline void store_rows(float* p, typename S::Float rows, std::size_t n_rows) {
  if (n_rows >= S::kLanes) {
    S::store(p, rows);
  } else {
    S::store_first(p, rows, n_rows);
  }
}

/// What is left of an output from row `row` and `column` on.
inline MatmulOut out_from(MatmulOut out, std::size_t row, std::size_t column) {
  out.at += column * out.stride + row;
  if (out.bias) out.bias += row;
  if (out.sums) out.sums += column * out.sum_stride + row;
  return out;
}

/// Takes one panel's sums to the output's first rows: lane r of sums[c] is row r of column c.
template <class S, int kColumns>
inline void store_panel(const typename S::Float (&sums)[kColumns], std::size_t n_rows,
                        int n_columns, const MatmulOut& out) {
  // Without a bias -0 is added, which changes nothing.
  const auto bias = out.bias ? load_rows<S>(out.bias, n_rows) : S::set_float(-0.0F);
#pragma GCC unroll 12
  for (int c = 0; c < kColumns; ++c) {
    if (c >= n_columns) break;
    const auto column = static_cast<std::size_t>(c);
    const auto rows = S::add(sums[c], bias);
    if (out.sums) {
      float* sum = out.sums + column * out.sum_stride;
      store_rows<S>(sum, S::add(load_rows<S>(sum, n_rows), rows), n_rows);
    } else {
      store_rows<S>(out.at + column * out.stride, rows, n_rows);
    }
  }
}

/// One tile after the other over all panels, kPanels at a time. Those are far apart: memory serves
/// several streams faster than one.
template <class S, class Tile, int kColumns, int kPanels>
void walk_panels(const std::byte* panels, std::size_t n_rows, const Strip& x, int column,
                 const MatmulOut& out) {
  const std::size_t bytes = panel_bytes(Tile::kType, x.length, S::kLanes);
  const std::size_t second_plane = plane_offset(panel_layout(Tile::kType), 1, x.length, S::kLanes);
  const std::size_t n_panels = (n_rows + S::kLanes - 1) / S::kLanes;
  const std::size_t apart = (n_panels + kPanels - 1) / kPanels;
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
      if (number[p] != p * apart + i) continue;
      const std::size_t row = number[p] * S::kLanes;
      store_panel<S>(sums[p], n_rows - row, x.n_columns - column,
                     out_from(out, row, static_cast<std::size_t>(column)));
    }
  }
}

/// Pairs of panels beside one half of a strip's columns and then the other.
template <class S, class Tile>
void walk_pairs(const std::byte* panels, std::size_t n_rows, const Strip& x, const MatmulOut& out) {
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
      const auto store = [&](const auto& rows, std::size_t panel) {
        const std::size_t row = panel * S::kLanes;
        store_panel<S>(rows, n_rows - row, x.n_columns - column,
                       out_from(out, row, static_cast<std::size_t>(column)));
      };
      store(sums[0], first);
      if (second != first) store(sums[1], second);
    }
  }
}

/// MultiplyPanels (kernel_table.h) of a type's Tile.
template <class S, class Tile>
void multiply_panels(const void* panels, std::size_t n_rows, const Strip& x, const MatmulOut& out) {
  const auto* bytes = static_cast<const std::byte*>(panels);
  if constexpr (requires { requires Tile::kInPairs; }) {
    if (x.width == kStripColumns) {
      walk_pairs<S, Tile>(bytes, n_rows, x, out);
      return;
    }
  }
  // A strip wider than a tile is done in halves.
  const int n_columns = x.width > S::kMostColumns ? x.width / 2 : x.width;
  for (int column = 0; column < x.width; column += n_columns) {
    switch (n_columns) {
      case 1:
        walk_panels<S, Tile, 1, 8>(bytes, n_rows, x, column, out);
        break;
      case 2:
        walk_panels<S, Tile, 2, 8>(bytes, n_rows, x, column, out);
        break;
      case 4:
        walk_panels<S, Tile, 4, 8>(bytes, n_rows, x, column, out);
        break;
      case 6:
        walk_panels<S, Tile, 6, 1>(bytes, n_rows, x, column, out);
        break;
      default:
        if constexpr (S::kMostColumns >= 8) {
          if (n_columns == 8) {
            walk_panels<S, Tile, 8, 1>(bytes, n_rows, x, column, out);
          } else {
            walk_panels<S, Tile, 12, 1>(bytes, n_rows, x, column, out);
          }
        }
    }
  }
}

}  // namespace
}  // namespace hearth::kernels
