// Zeroed memory on huge pages where the system has them.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

namespace hearth::bench {

class AlignedMemory {
 public:
  explicit AlignedMemory(std::size_t n)
      : bytes_(
            static_cast<std::byte*>(std::aligned_alloc(kPage, (n + kPage - 1) / kPage * kPage))) {
    if (!bytes_) throw std::bad_alloc();
    madvise(bytes_.get(), n, MADV_HUGEPAGE);
    std::memset(bytes_.get(), 0, n);
  }
  std::byte* data() const { return bytes_.get(); }

 private:
  static constexpr std::size_t kPage = std::size_t{2} << 20;
  struct Free {
    void operator()(std::byte* p) const { std::free(p); }
  };
  std::unique_ptr<std::byte, Free> bytes_;
};

}  // namespace hearth::bench
