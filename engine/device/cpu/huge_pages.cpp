#include "engine/device/cpu/huge_pages.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <new>
#include <utility>

namespace hearth {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;

std::size_t rounded_up(std::size_t n, std::size_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

/// A region for many pieces, or where the address space is limited (`ulimit -v`) for this one.
std::shared_ptr<HugePages> make_region(std::size_t bytes) {
  constexpr std::size_t kUsual = std::size_t{1} << 30;  // address space, not memory
  if (bytes < kUsual) {
    try {
      return std::make_shared<HugePages>(kUsual);
    } catch (const std::bad_alloc&) {
    }
  }
  return std::make_shared<HugePages>(bytes);
}

}  // namespace

HugePages::HugePages(std::size_t bytes) : bytes_(bytes) {
  if (bytes == 0) return;
  map_bytes_ = rounded_up(bytes, kHugePage) + kHugePage;
  map_ = mmap(nullptr, map_bytes_, PROT_READ | PROT_WRITE,
              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (map_ == MAP_FAILED) {
    map_ = nullptr;
    throw std::bad_alloc();
  }
  const auto address = rounded_up(reinterpret_cast<std::uintptr_t>(map_), kHugePage);
  data_ = reinterpret_cast<std::byte*>(address);
  // A wish: a system without huge pages goes on with small ones. Small blocks would only waste.
  if (bytes >= kHugePage) madvise(data_, rounded_up(bytes, kHugePage), MADV_HUGEPAGE);
}

HugePages::HugePages(HugePages&& other) noexcept {
  *this = std::move(other);
}

HugePages& HugePages::operator=(HugePages&& other) noexcept {
  std::swap(map_, other.map_);
  std::swap(map_bytes_, other.map_bytes_);
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

HugePages::~HugePages() {
  if (map_) munmap(map_, map_bytes_);
}

HugePageArena::Piece HugePageArena::allocate(std::size_t bytes) {
  bytes = rounded_up(bytes, kAlignment);
  if (!region_ || region_->size() - used_ < bytes) {
    region_ = make_region(bytes);
    used_ = 0;
  }
  Piece piece{region_, region_->data() + used_};
  used_ += bytes;
  return piece;
}

void drop_pages(std::span<const std::byte> bytes) {
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<std::uintptr_t>(bytes.data());
  const std::uintptr_t first = (begin + page - 1) / page * page;
  const std::uintptr_t last = (begin + bytes.size()) / page * page;
  if (first < last) madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
}

}  // namespace hearth
