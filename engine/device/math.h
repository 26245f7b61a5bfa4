// The few functions that the verbs need, in double. One place, so that every device that claims the
// reference's results computes them alike, and none from the C library, so that every machine does.
#pragma once

#include "base/stable_math.h"
#include "engine/device/device.h"

namespace hearth {

/// e^x, and NaN of NaN: a broken model must not look whole.
inline double exp_or_nan(double x) {
  return x == x ? stable_exp(x) : x;
}

inline double sigmoid(double x) {
  return 1.0 / (1.0 + exp_or_nan(-x));
}

/// The Gaussian error linear unit (arXiv 1606.08415), and its approximation by tanh.
inline double gelu_erf(double x) {
  constexpr double kSqrtHalf = 0.70710678118654752440;
  return 0.5 * x * (1.0 + stable_erf(x * kSqrtHalf));
}

inline double gelu_tanh(double x) {
  constexpr double kSqrtTwoOverPi = 0.79788456080286535588;
  return 0.5 * x * (1.0 + stable_tanh(kSqrtTwoOverPi * (x + 0.044715 * x * x * x)));
}

inline double activate(Activation activation, double x) {
  switch (activation) {
    case Activation::silu:
      return x * sigmoid(x);
    case Activation::gelu_tanh:
      return gelu_tanh(x);
    case Activation::gelu_erf:
      return gelu_erf(x);
    case Activation::relu:
      return x > 0.0 ? x : 0.0;
    case Activation::relu_squared:
      return x > 0.0 ? x * x : 0.0;
  }
  return x;
}

/// ALiBi's slope of head h. For head counts that are no power of two, the heads past the largest
/// one below take the odd members of the sequence with half the step.
inline double alibi_slope(int h, int n_head, double max_bias) {
  int power = 1;
  while (power * 2 <= n_head) power *= 2;
  const double exponent =
      h < power ? -max_bias * (h + 1) / power : -max_bias / 2.0 * (2 * (h - power) + 1) / power;
  return stable_pow(2.0, exponent);
}

/// sum a[i] b[i]. Eight partial sums, so that compilers without fast-math can use vectors; their
/// order is fixed, so that every machine gets the same bits.
inline double dot(const float* a, const float* b, std::int64_t n) {
  constexpr int kLanes = 8;
  double lane[kLanes] = {};
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int j = 0; j < kLanes; ++j) {
      lane[j] += static_cast<double>(a[i + j]) * static_cast<double>(b[i + j]);
    }
  }
  for (; i < n; ++i) lane[0] += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return ((lane[0] + lane[4]) + (lane[1] + lane[5])) + ((lane[2] + lane[6]) + (lane[3] + lane[7]));
}

}  // namespace hearth
