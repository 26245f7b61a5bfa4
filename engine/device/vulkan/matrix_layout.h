// How a weight matrix lies in device memory. The GGUF blocks, of 18, 34 or 210 bytes, are taken
// apart into planes, so that every load of a shader is aligned: the low bits of the integers
// ("codes"), their high bits, the scales of sub-blocks, the scales of blocks. A row of a plane
// begins at a multiple of 16 bytes; nothing is added but that padding. Codes stand in the order of
// the row, the first in the lowest bits of a word, whatever order the file has them in; those of a
// byte with the even ones of eight before the odd ones, as masks take them from nibbles.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/quant_types.h"

namespace hearth::vulkan {

inline constexpr std::size_t kPlanes = 4;
inline constexpr std::int64_t kUnit =
    32;  // columns that a shader takes at once; floats are padded to it with zeros

/// Some rows of a matrix: all of them, or as many as fit a binding.
struct MatrixSlice {
  std::int64_t first_row = 0;
  std::int64_t end_row = 0;
  std::array<std::uint32_t, kPlanes> plane_at = {};  // words from the slice's start
  std::uint64_t bytes = 0;
};

struct MatrixLayout {
  std::array<std::uint32_t, kPlanes> row_words =
      {};  // words of a row of each plane; 0: the type has no such plane
  std::vector<MatrixSlice> slices;
};

/// Whether the device has a layout, and shaders, for the type.
bool has_layout(QuantType type);

/// Slices of at most max_binding bytes. `type` has a layout. Throws Error when a single row is
/// larger.
MatrixLayout lay_out(QuantType type, std::int64_t rows, std::int64_t columns,
                     std::uint64_t max_binding);

/// One row of the file, `row` (row_bytes), as the planes have it: planes[p] is [row_words[p]].
void pack_row(QuantType type, std::int64_t columns, const std::byte* row,
              const MatrixLayout& layout, const std::array<std::uint32_t*, kPlanes>& planes);

}  // namespace hearth::vulkan
