// Memory for a device, its own or the host's, in a few large allocations ("slabs"), which pieces
// fill one after the other. What is planned and what is allocated come from the same function, so
// they are equal to the byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/device/vulkan/gpu.h"

namespace hearth::vulkan {

/// Every piece begins at a multiple of this: no device asks for more of a storage buffer's offset.
inline constexpr std::uint64_t kPieceAlignment = 256;

inline std::uint64_t padded(std::uint64_t bytes) {
  return (bytes + kPieceAlignment - 1) / kPieceAlignment * kPieceAlignment;
}

/// Bytes of the slabs that hold these pieces (each padded) in this order. A piece is never cut, and
/// one that is larger than max_slab has a slab of its own.
std::vector<std::uint64_t> slab_sizes(std::span<const std::uint64_t> pieces,
                                      std::uint64_t max_slab);

/// A part of a slab. Lives as long as the arena.
struct Piece {
  VkBuffer buffer = VK_NULL_HANDLE;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
  std::byte* mapped = nullptr;  // where device memory is the host's
};

class Arena {
 public:
  Arena(Gpu& gpu, std::uint64_t max_slab, Memory memory)
      : gpu_(gpu), max_slab_(max_slab), memory_(memory) {}
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena();

  /// Allocates slabs for these pieces; take() then hands them out in this order. Throws Error, and
  /// then has none of them.
  void reserve(std::span<const std::uint64_t> pieces);

  /// The next piece. What was not reserved is allocated now.
  Piece take(std::uint64_t bytes);

  /// The slabs since the last call: new memory, which nobody has touched.
  std::vector<RawBuffer> take_new_slabs();

 private:
  void add_slab(std::uint64_t bytes);

  Gpu& gpu_;
  std::uint64_t max_slab_;
  Memory memory_;
  std::vector<RawBuffer> slabs_;
  std::vector<std::uint64_t> sizes_;  // as asked for
  std::size_t current_ = 0;           // slab that is being filled
  std::uint64_t used_ = 0;            // of it
  std::size_t n_touched_ = 0;
};

}  // namespace hearth::vulkan
