#include "kernels/panels.h"

#include <cstring>

#include "kernels/quant_blocks.h"

namespace hearth::kernels {
namespace {

// Offsets are those of the structs in quant_blocks.h. Small fields come first: what a block's
// quants need is then read before them.
constexpr PanelLayout kLayouts[] = {
    {QuantType::F32, 1, 4, {{{0, 4}}}},
    {QuantType::F16, 1, 2, {{{0, 2}}}},
    {QuantType::BF16, 2, 4, {{{0, 4}}}},
    {QuantType::Q4_0, 32, 18, {{{0, 2}}, {{2, 4, 4}}}},
    {QuantType::Q4_1, 32, 20, {{{0, 2, 2}, {4, 4, 4}}}},
    {QuantType::Q5_0, 32, 22, {{{0, 2}}, {{2, 4, 5}}}},
    {QuantType::Q5_1, 32, 24, {{{0, 2, 2}, {4, 4, 5}}}},
    {QuantType::Q8_0, 32, 34, {{{0, 2}}, {{2, 4, 8}}}},
    {QuantType::Q2_K, 256, 84, {{{80, 2, 2}, {0, 4, 20}}}},
    {QuantType::Q3_K, 256, 110, {{{108, 2}}, {{96, 4, 3}, {0, 4, 24}}}},
    {QuantType::Q4_K, 256, 144, {{{0, 2, 2}, {4, 4, 35}}}},
    {QuantType::Q5_K, 256, 176, {{{0, 2, 2}, {4, 4, 43}}}},
    {QuantType::Q6_K, 256, 210, {{{208, 2}}, {{192, 4, 4}, {0, 4, 48}}}},
    {QuantType::IQ4_NL, 32, 18, {{{0, 2}}, {{2, 4, 4}}}},
    {QuantType::IQ4_XS, 256, 136, {{{0, 2, 2}, {4, 4, 33}}}},
    {QuantType::MXFP4, 32, 17, {{{0, 1}}, {{1, 4, 4}}}},
};

std::size_t block_count(const PanelLayout& layout, std::size_t columns) {
  return (columns + layout.block_elements - 1) / layout.block_elements;
}

std::size_t aligned(std::size_t bytes) {
  return (bytes + kPanelAlignment - 1) / kPanelAlignment * kPanelAlignment;
}

/// Calls visit(offset in a block, unit bytes, offset in a panel of one plane's block) for every
/// unit, the last one relative to 1 lane.
template <class Visit>
void for_each_unit(const PanelUnits (&plane)[PanelLayout::kMostRuns], Visit visit) {
  std::size_t at = 0;
  for (const PanelUnits& units : plane) {
    if (units.bytes == 0) return;
    for (std::size_t i = 0; i < units.count; ++i) {
      visit(units.offset + i * units.bytes, units.bytes, at);
      at += units.bytes;
    }
  }
}

/// One unit of each row to its place in the panel.
template <std::size_t kBytes>
void gather(const unsigned char* from, std::size_t row_stride, int n_rows, int lanes,
            unsigned char* to) {
  for (int lane = 0; lane < n_rows; ++lane) {
    std::memcpy(to + static_cast<std::size_t>(lane) * kBytes,
                from + static_cast<std::size_t>(lane) * row_stride, kBytes);
  }
  for (int lane = n_rows; lane < lanes; ++lane) {
    std::memset(to + static_cast<std::size_t>(lane) * kBytes, 0, kBytes);
  }
}

void gather(std::size_t bytes, const unsigned char* from, std::size_t row_stride, int n_rows,
            int lanes, unsigned char* to) {
  if (bytes == 4) return gather<4>(from, row_stride, n_rows, lanes, to);
  if (bytes == 2) return gather<2>(from, row_stride, n_rows, lanes, to);
  return gather<1>(from, row_stride, n_rows, lanes, to);
}

/// The last bfloat16 of rows of odd length, each with a zero to make a pair.
void pack_half_pairs(const unsigned char* from, std::size_t row_stride, int n_rows, int lanes,
                     unsigned char* to) {
  std::memset(to, 0, 4 * static_cast<std::size_t>(lanes));
  for (int lane = 0; lane < n_rows; ++lane) {
    std::memcpy(to + 4 * static_cast<std::size_t>(lane),
                from + static_cast<std::size_t>(lane) * row_stride, 2);
  }
}

/// Bytes of a row of `columns` elements in the file.
std::size_t file_row_bytes(QuantType type, std::size_t columns) {
  return row_bytes(quant_type_info(type), columns);
}

}  // namespace

const PanelLayout& panel_layout(QuantType type) {
  const PanelLayout* found = kLayouts;
  for (const PanelLayout& layout : kLayouts) {
    if (layout.type == type) found = &layout;
  }
  return *found;
}

std::size_t plane_block_bytes(const PanelLayout& layout, int plane) {
  std::size_t bytes = 0;
  for_each_unit(layout.planes[plane],
                [&](std::size_t, std::size_t unit, std::size_t) { bytes += unit; });
  return bytes;
}

std::size_t plane_offset(const PanelLayout& layout, int plane, std::size_t columns, int lanes) {
  std::size_t offset = 0;
  for (int before = 0; before < plane; ++before) {
    offset += aligned(block_count(layout, columns) * plane_block_bytes(layout, before) *
                      static_cast<std::size_t>(lanes));
  }
  return offset;
}

std::size_t panel_bytes(QuantType type, std::size_t columns, int lanes) {
  if (lanes == 1) return file_row_bytes(type, columns);
  return plane_offset(panel_layout(type), PanelLayout::kMostPlanes, columns, lanes);
}

void pack_panel(QuantType type, const void* rows, int n_rows, std::size_t columns, int lanes,
                void* panel) {
  const std::size_t stride = file_row_bytes(type, columns);
  if (lanes == 1) {
    std::memcpy(panel, rows, stride);
    return;
  }
  const PanelLayout& layout = panel_layout(type);
  const auto* from = static_cast<const unsigned char*>(rows);
  const std::size_t n_blocks = block_count(layout, columns);
  const auto n_lanes = static_cast<std::size_t>(lanes);
  for (int plane = 0; plane < PanelLayout::kMostPlanes; ++plane) {
    const std::size_t block_bytes = plane_block_bytes(layout, plane);
    auto* to = static_cast<unsigned char*>(panel) + plane_offset(layout, plane, columns, lanes);
    for (std::size_t b = 0; b < n_blocks; ++b) {
      const unsigned char* block = from + b * layout.block_bytes;
      unsigned char* packed = to + b * block_bytes * n_lanes;
      for_each_unit(
          layout.planes[plane], [&](std::size_t offset, std::size_t unit, std::size_t at) {
            if (stride - b * layout.block_bytes - offset < unit) {
              pack_half_pairs(block + offset, stride, n_rows, lanes, packed + at * n_lanes);
            } else {
              gather(unit, block + offset, stride, n_rows, lanes, packed + at * n_lanes);
            }
          });
    }
  }
}

void unpack_row(QuantType type, const void* panel, int lane, std::size_t columns, int lanes,
                void* row) {
  const std::size_t bytes = file_row_bytes(type, columns);
  if (lanes == 1) {
    std::memcpy(row, panel, bytes);
    return;
  }
  const PanelLayout& layout = panel_layout(type);
  const std::size_t n_blocks = block_count(layout, columns);
  const auto n_lanes = static_cast<std::size_t>(lanes);
  for (int plane = 0; plane < PanelLayout::kMostPlanes; ++plane) {
    const std::size_t block_bytes = plane_block_bytes(layout, plane);
    const auto* from =
        static_cast<const unsigned char*>(panel) + plane_offset(layout, plane, columns, lanes);
    for (std::size_t b = 0; b < n_blocks; ++b) {
      const unsigned char* packed = from + b * block_bytes * n_lanes;
      for_each_unit(
          layout.planes[plane], [&](std::size_t offset, std::size_t unit, std::size_t at) {
            const std::size_t start = b * layout.block_bytes + offset;
            const std::size_t n = bytes - start < unit ? bytes - start : unit;  // half a pair
            std::memcpy(static_cast<unsigned char*>(row) + start,
                        packed + at * n_lanes + static_cast<std::size_t>(lane) * unit, n);
          });
    }
  }
}

}  // namespace hearth::kernels
