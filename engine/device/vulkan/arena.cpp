#include "engine/device/vulkan/arena.h"

#include <algorithm>

namespace hearth::vulkan {
namespace {

/// Memory that was not planned is taken in steps of this size.
constexpr std::uint64_t kGrowth = std::uint64_t{1} << 20;

}  // namespace

std::vector<std::uint64_t> slab_sizes(std::span<const std::uint64_t> pieces,
                                      std::uint64_t max_slab) {
  std::vector<std::uint64_t> sizes;
  for (const std::uint64_t piece : pieces) {
    const std::uint64_t bytes = padded(piece);
    if (sizes.empty() || sizes.back() + bytes > max_slab) sizes.push_back(0);
    sizes.back() += bytes;
  }
  return sizes;
}

Arena::~Arena() {
  for (RawBuffer& slab : slabs_) gpu_.free_buffer(slab);
}

void Arena::add_slab(std::uint64_t bytes) {
  slabs_.push_back(gpu_.make_buffer(bytes, memory_));
  sizes_.push_back(bytes);
}

void Arena::reserve(std::span<const std::uint64_t> pieces) {
  const std::size_t before = slabs_.size();
  try {
    for (const std::uint64_t bytes : slab_sizes(pieces, max_slab_)) add_slab(bytes);
  } catch (...) {
    while (slabs_.size() > before) {
      gpu_.free_buffer(slabs_.back());
      slabs_.pop_back();
      sizes_.pop_back();
    }
    throw;
  }
  current_ = before;
  used_ = 0;
}

Piece Arena::take(std::uint64_t bytes) {
  const std::uint64_t room = padded(bytes);
  if (current_ < slabs_.size() && used_ + room > sizes_[current_]) {
    ++current_;
    used_ = 0;
  }
  if (current_ == slabs_.size()) add_slab(std::max(room, kGrowth));
  const RawBuffer& slab = slabs_[current_];
  HEARTH_CHECK(used_ + room <= sizes_[current_]);
  const Piece piece = {.buffer = slab.buffer,
                       .offset = used_,
                       .bytes = room,
                       .mapped = slab.mapped ? slab.mapped + used_ : nullptr};
  used_ += room;
  return piece;
}

std::vector<RawBuffer> Arena::take_new_slabs() {
  std::vector<RawBuffer> untouched(slabs_.begin() + static_cast<std::ptrdiff_t>(n_touched_),
                                   slabs_.end());
  n_touched_ = slabs_.size();
  return untouched;
}

}  // namespace hearth::vulkan
