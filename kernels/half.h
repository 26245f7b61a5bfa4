// Half precision and bfloat16 to and from float, in portable integer arithmetic.
// Bit for bit what the F16C instructions do (round to nearest, ties to even; a NaN stays a NaN and
// becomes quiet), so that an ISA level may use those instead.
#pragma once

#include <bit>
#include <cstdint>

#include "kernels/quant_blocks.h"

namespace hearth::kernels {

/// Exact. Subnormals, infinities and signed zeros included.
inline float f16_to_f32(Half half) {
  const std::uint32_t sign = (half & 0x8000u) << 16;
  const std::uint32_t magnitude = half & 0x7fffu;
  if (magnitude < 0x0400u) {
    // zero or subnormal: an integer times 2^-24
    const float value = static_cast<float>(magnitude) * 0x1p-24f;
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(value) | sign);
  }
  if (magnitude < 0x7c00u) {
    // normal: the exponent's bias goes from 15 to 127
    return std::bit_cast<float>(sign | ((magnitude << 13) + ((127u - 15u) << 23)));
  }
  const std::uint32_t quiet = magnitude > 0x7c00u ? 0x00400000u : 0;
  return std::bit_cast<float>(sign | 0x7f800000u | (magnitude << 13) | quiet);
}

/// Rounds to nearest, ties to even. From 65520 on it gives infinity.
inline Half f32_to_f16(float value) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = (bits >> 16) & 0x8000u;
  const std::uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) {  // NaN
    return static_cast<Half>(sign | 0x7e00u | ((magnitude >> 13) & 0x03ffu));
  }
  if (magnitude >= 0x477ff000u) {  // 65520 and more
    return static_cast<Half>(sign | 0x7c00u);
  }
  if (magnitude < 0x38800000u) {
    // Below 2^-14 a half counts in steps of 2^-24, which is the step of floats from 0.5 to 1: the
    // addition rounds.
    const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
    return static_cast<Half>(sign | (std::bit_cast<std::uint32_t>(shifted) - 0x3f000000u));
  }
  const std::uint32_t odd = (magnitude >> 13) & 1u;
  const std::uint32_t rounded = magnitude + 0x0fffu + odd - ((127u - 15u) << 23);
  return static_cast<Half>(sign | (rounded >> 13));
}

/// Exact: bfloat16 is the upper half of a float.
inline float bf16_to_f32(BFloat16 value) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(value) << 16);
}

/// Rounds to nearest, ties to even; subnormals are kept.
inline BFloat16 f32_to_bf16(float value) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) {  // NaN
    return static_cast<BFloat16>((bits >> 16) | 0x0040u);
  }
  const std::uint32_t odd = (bits >> 16) & 1u;
  return static_cast<BFloat16>((bits + 0x7fffu + odd) >> 16);
}

}  // namespace hearth::kernels
