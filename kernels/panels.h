// Weight matrices as the matrix kernels read them. A panel is `lanes` consecutive rows of a matrix,
// shuffled so that each SIMD lane owns one row: a block of the file is cut into units of 1, 2 or 4
// bytes, and where a row had its unit, the panel has that unit of row 0, of row 1, and so on. Not a
// bit inside a unit changes, so a panel is as large as its rows, up to padding.
//
//   Q8_0 with 16 lanes:  plane 0: per block 16 scales            (16 x 2 bytes)
//                        plane 1: per block 8 units of 4 quants  (8 x 16 x 4 bytes)
//
// A type's units stand in one or more planes, each of which starts at a multiple of 64 bytes: a
// 2-byte scale between the quants would leave them misaligned. What is in which plane, and in which
// order, is panel_layout(type).
//
// A panel of one lane is the row as it stands in the file.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/quant_types.h"

namespace hearth::kernels {

inline constexpr std::size_t kPanelAlignment = 64;
inline constexpr int kMostLanes = 16;

/// `count` units of `bytes` each, one after the other from `offset` of a block on.
struct PanelUnits {
  std::uint16_t offset;
  std::uint8_t bytes;
  std::uint8_t count = 1;
};

struct PanelLayout {
  static constexpr int kMostRuns = 5;
  static constexpr int kMostPlanes = 2;
  QuantType type;
  std::uint32_t block_elements;  // of the type, but bfloat16 goes by pairs
  std::uint32_t block_bytes;
  PanelUnits planes[kMostPlanes][kMostRuns];  // a run of 0 bytes ends a plane
};

/// For every type that is a weight (QuantTypeInfo::is_weight).
const PanelLayout& panel_layout(QuantType type);

/// Bytes per row of one plane's units of one block.
std::size_t plane_block_bytes(const PanelLayout& layout, int plane);

/// Where a plane of a panel begins, in bytes. `columns` is a multiple of the type's block.
std::size_t plane_offset(const PanelLayout& layout, int plane, std::size_t columns, int lanes);

/// Bytes of a panel, a multiple of 64 (of one lane: the row's bytes).
std::size_t panel_bytes(QuantType type, std::size_t columns, int lanes);

/// Makes a panel of the first `n_rows` rows (at most `lanes`) at `rows`; the other lanes become
/// zero. panel: panel_bytes().
void pack_panel(QuantType type, const void* rows, int n_rows, std::size_t columns, int lanes,
                void* panel);

/// The row of one lane, as it stood in the file. row: row_bytes().
void unpack_row(QuantType type, const void* panel, int lane, std::size_t columns, int lanes,
                void* row);

}  // namespace hearth::kernels
