#include "base/hash64.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace hearth {
namespace {

static_assert(std::endian::native == std::endian::little, "lanes are read as they lie");

// The specification's five primes. A Hash64 begins with lanes of 1 + 2, 2, 0 and -1.
constexpr std::uint64_t kPrime1 = 0x9E3779B185EBCA87u;
constexpr std::uint64_t kPrime2 = 0xC2B2AE3D27D4EB4Fu;
constexpr std::uint64_t kPrime3 = 0x165667B19E3779F9u;
constexpr std::uint64_t kPrime4 = 0x85EBCA77C2B2AE63u;
constexpr std::uint64_t kPrime5 = 0x27D4EB2F165667C5u;

template <class Word>
Word read(const std::byte* at) {
  Word word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

std::uint64_t mixed(std::uint64_t lane, std::uint64_t word) {
  return std::rotl(lane + word * kPrime2, 31) * kPrime1;
}

std::uint64_t merged(std::uint64_t hash, std::uint64_t lane) {
  return (hash ^ mixed(0, lane)) * kPrime1 + kPrime4;
}

/// The bytes after the last whole stripe.
std::uint64_t with_tail(std::uint64_t hash, const std::byte* at, std::size_t n) {
  for (; n >= 8; at += 8, n -= 8) {
    hash = std::rotl(hash ^ mixed(0, read<std::uint64_t>(at)), 27) * kPrime1 + kPrime4;
  }
  if (n >= 4) {
    hash = std::rotl(hash ^ read<std::uint32_t>(at) * kPrime1, 23) * kPrime2 + kPrime3;
    at += 4;
    n -= 4;
  }
  for (; n > 0; ++at, --n) {
    hash = std::rotl(hash ^ static_cast<std::uint64_t>(*at) * kPrime5, 11) * kPrime1;
  }
  return hash;
}

std::uint64_t avalanched(std::uint64_t hash) {
  hash = (hash ^ hash >> 33) * kPrime2;
  hash = (hash ^ hash >> 29) * kPrime3;
  return hash ^ hash >> 32;
}

}  // namespace

void Hash64::add_stripe(const std::byte* stripe) {
  for (std::size_t i = 0; i < 4; ++i) {
    lanes_[i] = mixed(lanes_[i], read<std::uint64_t>(stripe + 8 * i));
  }
}

void Hash64::add(std::span<const std::byte> bytes) {
  const std::size_t held = total_ % kStripe;
  total_ += bytes.size();
  if (held + bytes.size() < kStripe) {
    std::copy(bytes.begin(), bytes.end(), held_ + held);
    return;
  }
  if (held > 0) {
    std::copy_n(bytes.begin(), kStripe - held, held_ + held);
    bytes = bytes.subspan(kStripe - held);
    add_stripe(held_);
  }
  for (; bytes.size() >= kStripe; bytes = bytes.subspan(kStripe)) add_stripe(bytes.data());
  std::copy(bytes.begin(), bytes.end(), held_);
}

std::uint64_t Hash64::value() const {
  std::uint64_t hash = kPrime5;
  if (total_ >= kStripe) {
    constexpr int kTurns[4] = {1, 7, 12, 18};
    hash = 0;
    for (std::size_t i = 0; i < 4; ++i) hash += std::rotl(lanes_[i], kTurns[i]);
    for (const std::uint64_t lane : lanes_) hash = merged(hash, lane);
  }
  return avalanched(with_tail(hash + total_, held_, total_ % kStripe));
}

std::uint64_t hash64(std::span<const std::byte> bytes) {
  Hash64 hash;
  hash.add(bytes);
  return hash.value();
}

std::uint64_t hash64(std::string_view text) {
  return hash64(std::as_bytes(std::span(text)));
}

}  // namespace hearth
