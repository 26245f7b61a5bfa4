// Zeroed memory that begins at a multiple of 64 bytes, and whose end a sanitizer watches.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

namespace hearth::test {

class AlignedBytes {
 public:
  explicit AlignedBytes(std::size_t n)
      : bytes_(static_cast<std::byte*>(std::aligned_alloc(64, (n + 63) / 64 * 64))) {
    if (!bytes_) throw std::bad_alloc();
    std::memset(bytes_.get(), 0, n);
  }
  std::byte* data() { return bytes_.get(); }
  const std::byte* data() const { return bytes_.get(); }

 private:
  struct Free {
    void operator()(std::byte* p) const { std::free(p); }
  };
  std::unique_ptr<std::byte, Free> bytes_;
};

}  // namespace hearth::test
