#include "tokenizer/jinja/heap.h"

#include <algorithm>
#include <cstring>

namespace hearth::jinja {
namespace {

constexpr std::size_t kBlockBytes = 64u << 10;
constexpr std::size_t kGrowingBytes = 512;  // shorter texts are copied: room would be wasted

}  // namespace

void* Heap::allocate(std::size_t bytes, std::size_t alignment) {
  const std::size_t misaligned = reinterpret_cast<std::uintptr_t>(next_) % alignment;
  const std::size_t padding = misaligned == 0 ? 0 : alignment - misaligned;
  if (left_ < padding || left_ - padding < bytes) {
    const std::size_t size = std::max(bytes, kBlockBytes);
    blocks_.push_back(std::make_unique<std::byte[]>(size));
    bytes_ += size;
    if (bytes > kBlockBytes / 4 && left_ > 0) return blocks_.back().get();  // keep the open block
    next_ = blocks_.back().get();
    left_ = size;
  } else {
    next_ += padding;
    left_ -= padding;
  }
  void* result = next_;
  next_ += bytes;
  left_ -= bytes;
  return result;
}

std::string_view Heap::copy(std::string_view text) {
  if (text.empty()) return {};
  char* to = static_cast<char*>(allocate(text.size(), 1));
  std::memcpy(to, text.data(), text.size());
  return {to, text.size()};
}

bool Heap::extends(std::string_view left, std::size_t bytes) const {
  return std::any_of(std::begin(growing_), std::end(growing_),
                     [&](const Growing& growing) { return growing.fits(left, bytes); });
}

std::string_view Heap::append(std::string_view left, std::string_view right) {
  if (right.empty()) return left;
  if (left.empty()) return copy(right);  // `right` may be a passing text
  const std::size_t size = left.size() + right.size();
  for (Growing& growing : growing_) {
    if (!growing.fits(left, right.size())) continue;
    std::memcpy(growing.begin + growing.used, right.data(), right.size());
    growing.used = size;
    return {growing.begin, size};
  }
  const std::size_t room = size < kGrowingBytes ? size : size * 2;
  char* to = static_cast<char*>(allocate(room, 1));
  std::memcpy(to, left.data(), left.size());
  std::memcpy(to + left.size(), right.data(), right.size());
  if (room > size) {
    growing_[oldest_] = {to, size, room};
    oldest_ = (oldest_ + 1) % std::size(growing_);
  }
  return {to, size};
}

}  // namespace hearth::jinja
