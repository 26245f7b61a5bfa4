// XXH64, a fast 64-bit checksum (https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md):
// finds damage and tells contents apart; no protection against someone who wants two that agree.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace hearth {

/// The hash of what has been added so far; the cuts between additions do not matter.
class Hash64 {
 public:
  void add(std::span<const std::byte> bytes);
  void add(std::string_view text) { add(std::as_bytes(std::span(text))); }

  std::uint64_t value() const;

 private:
  static constexpr std::size_t kStripe = 32;

  void add_stripe(const std::byte* stripe);

  std::uint64_t lanes_[4] = {0x60EA27EEADC0B5D6u, 0xC2B2AE3D27D4EB4Fu, 0, 0x61C8864E7A143579u};
  std::uint64_t total_ = 0;
  std::byte held_[kStripe] = {};  // total_ % kStripe bytes of a stripe that is not whole yet
};

std::uint64_t hash64(std::span<const std::byte> bytes);
std::uint64_t hash64(std::string_view text);

}  // namespace hearth
