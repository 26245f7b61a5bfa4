// Replaces operator new and delete of the program by the same with a record.
#include "tests/support/largest_allocation.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <new>

namespace {
std::atomic<std::size_t> largest = 0;
}

namespace hearth::test {

void reset_largest_allocation() {
  largest = 0;
}

std::size_t largest_allocation() {
  return largest;
}

}  // namespace hearth::test

void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  largest = std::max<std::size_t>(largest, size);
  return std::malloc(std::max<std::size_t>(size, 1));
}

void* operator new(std::size_t size) {
  if (void* at = operator new(size, std::nothrow)) return at;
  throw std::bad_alloc();
}

void operator delete(void* at) noexcept {
  std::free(at);
}

void operator delete(void* at, std::size_t) noexcept {
  std::free(at);
}
