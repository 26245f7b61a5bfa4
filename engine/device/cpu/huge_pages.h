// Large memory on large pages, where the system has them: weights are read from end to end for
// every token, and fewer pages mean fewer misses of the address cache.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

namespace hearth {

/// Zeroed memory that begins at a multiple of 2 MiB. Pages are taken when they are first touched.
class HugePages {
 public:
  HugePages() = default;
  /// Throws std::bad_alloc when the address space is not to be had.
  explicit HugePages(std::size_t bytes);
  HugePages(HugePages&& other) noexcept;
  HugePages& operator=(HugePages&& other) noexcept;
  ~HugePages();

  std::byte* data() const { return data_; }
  std::size_t size() const { return bytes_; }

 private:
  void* map_ = nullptr;
  std::size_t map_bytes_ = 0;
  std::byte* data_ = nullptr;
  std::size_t bytes_ = 0;
};

/// Hands out pieces of large regions, one after the other, so that many matrices share pages. A
/// region lives as long as a piece of it.
class HugePageArena {
 public:
  struct Piece {
    std::shared_ptr<HugePages> region;
    std::byte* data = nullptr;  // at a multiple of kAlignment
  };
  static constexpr std::size_t kAlignment = 64;

  /// Throws std::bad_alloc.
  Piece allocate(std::size_t bytes);

 private:
  std::shared_ptr<HugePages> region_;
  std::size_t used_ = 0;
};

/// Lets the system take back the pages that lie wholly in `bytes`. Touched again, those of a mapped
/// file are read from it, and others are zero.
void drop_pages(std::span<const std::byte> bytes);

}  // namespace hearth
