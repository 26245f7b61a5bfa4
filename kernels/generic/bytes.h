// Sixteen bytes, in the vectors that the compiler has for every processor: quants on their way from
// a block to floats.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hearth::kernels {
namespace {

using Bytes = std::uint8_t __attribute__((vector_size(16)));

inline Bytes load_16_bytes(const void* p) {
  Bytes bytes;
  __builtin_memcpy(&bytes, p, sizeof bytes);
  return bytes;
}

/// Of every byte the `count` bits from bit `from` on, put at bit `to`.
inline Bytes bits_of(Bytes bytes, int from, int count, int to) {
  using Words = std::uint16_t __attribute__((vector_size(16)));
  const auto words = reinterpret_cast<Words>(bytes);
  // Bits of the neighbouring byte come in, and are cut off.
  const Words moved = from >= to ? words >> (from - to) : words << (to - from);
  const auto kept = static_cast<std::uint8_t>(((1 << count) - 1) << to);
  return reinterpret_cast<Bytes>(moved) & kept;
}

/// Bytes 0 to 7 and 8 to 15 from two numbers.
inline Bytes bytes_of(std::uint64_t low, std::uint64_t high) {
  using Halves = std::uint64_t __attribute__((vector_size(16)));
  return reinterpret_cast<Bytes>(Halves{low, high});
}

}  // namespace
}  // namespace hearth::kernels
