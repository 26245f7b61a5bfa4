// Our own random numbers, so that a seed gives the same text on every machine and with every
// standard library. PCG-XSH-RR 64/32, O'Neill 2014, https://www.pcg-random.org
#pragma once

#include <bit>
#include <cstdint>

namespace hearth {

class Random {
 public:
  /// Different streams give unrelated sequences for the same seed.
  explicit Random(std::uint64_t seed, std::uint64_t stream = 54) : increment_(stream << 1 | 1u) {
    bits32();
    state_ += seed;
    bits32();
  }

  /// 32 uniform bits.
  std::uint32_t bits32() {
    const std::uint64_t old = state_;
    state_ = old * 6364136223846793005u + increment_;
    const auto shifted = static_cast<std::uint32_t>((old >> 18 ^ old) >> 27);
    return std::rotr(shifted, static_cast<int>(old >> 59));
  }

  /// A multiple of 2^-53 in [0, 1): the upper 53 of 64 bits, the first output being the upper half.
  double uniform() {
    const std::uint64_t high = bits32();
    const std::uint64_t low = bits32();
    return static_cast<double>((high << 32 | low) >> 11) * 0x1p-53;
  }

 private:
  std::uint64_t state_ = 0;
  std::uint64_t increment_;
};

}  // namespace hearth
