// exp, tanh and the activations in float, operation by operation: the statement of what every
// level computes.
#pragma once

#include <bit>
#include <cstdint>

#include "kernels/activation.h"
#include "kernels/function_constants.h"

namespace hearth::kernels::scalar {

/// c[0] x^(n - 1) + ... + c[n - 1], one fma after the other.
template <int n>
float polynomial(const float (&c)[n], float x) {
  float sum = c[0];
  for (int i = 1; i < n; ++i) sum = __builtin_fmaf(sum, x, c[i]);
  return sum;
}

/// e^x to about one unit in the last place; 0 below kExpLowest, infinite above kExpHighest, NaN of
/// NaN.
inline float exp(float x) {
  const float shifted = __builtin_fmaf(x, kLog2E, kExpShift);
  const float power = std::bit_cast<float>(std::bit_cast<std::uint32_t>(shifted) << 23);
  const float n = shifted - kExpShift;
  float r = __builtin_fmaf(n, -kLn2High, x);
  r = __builtin_fmaf(n, -kLn2Low, r);
  float p = polynomial(kExp, r);
  p = __builtin_fmaf(p, r, 1.0F);
  p = __builtin_fmaf(p, r, 1.0F);
  if (x < kExpLowest) return 0.0F;
  if (kExpHighest < x) return __builtin_inff();
  return p * power;
}

inline float tanh(float x) {
  const float magnitude = std::bit_cast<float>(std::bit_cast<std::uint32_t>(x) & 0x7fffffffu);
  if (magnitude < kTanhSmall) {
    const float square = x * x;
    return __builtin_fmaf(polynomial(kTanh, square) * square, x, x);
  }
  const float large = 1.0F - 2.0F / (exp(magnitude + magnitude) + 1.0F);
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(large) |
                              (std::bit_cast<std::uint32_t>(x) & 0x80000000u));
}

inline float silu(float x) {
  return x / (exp(0.0F - x) + 1.0F);
}

inline float gelu_tanh(float x) {
  return x / (exp(x * __builtin_fmaf(x * x, kGeluB, kGeluA)) + 1.0F);
}

/// x Phi(x) = max(x, 0) - |x| / 2 erfc(|x| / sqrt 2): the tail is exact to its own last places.
inline float gelu_erf(float x) {
  const float magnitude = std::bit_cast<float>(std::bit_cast<std::uint32_t>(x) & 0x7fffffffu);
  const float z = magnitude * kSqrtHalf;
  const float t = 1.0F / __builtin_fmaf(z, 0.5F, 1.0F);
  const float erfc = polynomial(kErfc, t) * exp(z * (0.0F - z));
  return (x > 0.0F ? x : 0.0F) - magnitude * 0.5F * erfc;
}

inline float activate(Activation activation, float x) {
  const float positive = x > 0.0F ? x : 0.0F;
  switch (activation) {
    case Activation::silu:
      return silu(x);
    case Activation::gelu_tanh:
      return gelu_tanh(x);
    case Activation::gelu_erf:
      return gelu_erf(x);
    case Activation::relu:
      return positive;
    case Activation::relu_squared:
      return positive * positive;
  }
  return x;
}

}  // namespace hearth::kernels::scalar
