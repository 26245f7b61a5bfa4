// Which optional shaders are used (tiers.h).
#pragma once

#include <cstdint>

namespace hearth::vulkan {

enum class Tier : std::uint8_t {
  subgroup,  // sums over subgroups
  dot,       // products in integers, of activations that become bytes
  matrix,    // products on cooperative matrices, of factors that become half-precision numbers
};

class TierSet {
 public:
  bool has(Tier tier) const { return (bits_ >> static_cast<unsigned>(tier) & 1U) != 0; }
  void add(Tier tier) { bits_ |= 1U << static_cast<unsigned>(tier); }
  std::uint32_t bits() const { return bits_; }

 private:
  std::uint32_t bits_ = 0;
};

/// As people write it.
const char* tier_name(Tier tier);

}  // namespace hearth::vulkan
