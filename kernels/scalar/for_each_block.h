// Walks the blocks of a row. Rows need no alignment: blocks are copied in and out.
#pragma once

#include <cstddef>
#include <cstring>

namespace hearth::kernels::scalar {

/// Calls unpack(const Block& block, float* out) for every block of a row of `n` elements.
template <class Block, class Unpack>
inline void unpack_blocks(const void* row, float* out, std::size_t n, Unpack unpack) {
  const auto* bytes = static_cast<const std::byte*>(row);
  for (std::size_t i = 0; i < n; i += Block::kElements, bytes += sizeof(Block)) {
    Block block;
    std::memcpy(&block, bytes, sizeof(Block));
    unpack(block, out + i);
  }
}

/// Calls pack(const float* in, Block& block) for every block of a row of `n` elements.
template <class Block, class Pack>
inline void pack_blocks(const float* row, void* out, std::size_t n, Pack pack) {
  auto* bytes = static_cast<std::byte*>(out);
  for (std::size_t i = 0; i < n; i += Block::kElements, bytes += sizeof(Block)) {
    Block block;
    pack(row + i, block);
    std::memcpy(bytes, &block, sizeof(Block));
  }
}

}  // namespace hearth::kernels::scalar
