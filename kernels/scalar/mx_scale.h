// The shared scale of MXFP4: a power of two as a biased exponent (E8M0 of the OCP MX
// specification).
#pragma once

#include <bit>
#include <cstdint>

namespace hearth::kernels::scalar {

inline constexpr std::uint8_t kMxScaleNan = 255;

/// 2^e, e in -126..127.
inline float power_of_two(int e) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(e + 127) << 23);
}

/// The exponent of |v|: 2^e <= |v| < 2^(e + 1), at least -126.
inline int exponent_of(float v) {
  const int biased = static_cast<int>(std::bit_cast<std::uint32_t>(v) >> 23 & 255);
  return biased < 1 ? -126 : biased - 127;
}

/// 2^(e - 128), the factor of doubled E2M1 values; NaN for e = 255. For e < 2 it is subnormal.
inline float half_of_mx_scale(std::uint8_t e) {
  if (e == kMxScaleNan) return std::bit_cast<float>(0x7fc00000u);
  if (e < 2) return std::bit_cast<float>(0x00200000u << e);
  return std::bit_cast<float>((e - 1u) << 23);
}

}  // namespace hearth::kernels::scalar
