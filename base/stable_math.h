// Functions of analysis that give the same bits on every machine: only +, -, *, / and sqrt in a
// fixed order, so that no logit and no sampled token depends on the C library.
// tests/base/test_stable_math.cpp holds the error bounds.
#pragma once

#include <bit>
#include <cstdint>
#include <span>

namespace hearth {

namespace detail {
// ln 2 in two parts; the first has 21 trailing zero bits, so a small integer times it is exact.
inline constexpr double kLn2High = 0x1.62e42fee00000p-1;
inline constexpr double kLn2Low = 0x1.a39ef35793c76p-33;
}  // namespace detail

/// e^x within 2 units in the last place of the true value. 0 below -708 (where results would become
/// subnormal), infinity above 709. `x` is not NaN. Without branches, so that loops vectorise.
inline double stable_exp(double x) {
  // x = n ln 2 + r with |r| <= 0.347. Adding 1.5 * 2^52 rounds to an integer and leaves it in the
  // low bits.
  constexpr double kRound = 0x1.8p52;
  const double shifted = x * 0x1.71547652b82fep0 + kRound;
  const double n = shifted - kRound;
  const double r = (x - n * detail::kLn2High) - n * detail::kLn2Low;
  // Taylor series; the first term left out is below 2^-57 of the sum.
  double q = 1.0 / 6227020800.0;
  q = q * r + 1.0 / 479001600.0;
  q = q * r + 1.0 / 39916800.0;
  q = q * r + 1.0 / 3628800.0;
  q = q * r + 1.0 / 362880.0;
  q = q * r + 1.0 / 40320.0;
  q = q * r + 1.0 / 5040.0;
  q = q * r + 1.0 / 720.0;
  q = q * r + 1.0 / 120.0;
  q = q * r + 1.0 / 24.0;
  q = q * r + 1.0 / 6.0;
  q = q * r + 0.5;
  const double e_r = 1.0 + (r + r * r * q);
  const std::uint64_t power = (std::bit_cast<std::uint64_t>(shifted) + 1023u) << 52;  // 2^n
  const auto y = std::bit_cast<std::uint64_t>(e_r * std::bit_cast<double>(power));
  // all ones where the sign of the difference is set
  const std::uint64_t below = 0u - (std::bit_cast<std::uint64_t>(x + 708.0) >> 63);
  const std::uint64_t above = 0u - (std::bit_cast<std::uint64_t>(709.0 - x) >> 63);
  constexpr std::uint64_t kInfinityBits = 0x7FF0000000000000u;
  return std::bit_cast<double>((y & ~below & ~above) | (kInfinityBits & above));
}

/// ln x within 2 units in the last place, for normal positive x.
double stable_log(double x);

/// base^exponent for positive bases, within a few units in the last place where the result is near
/// 1; relative error 2^-52 times the logarithm of the result elsewhere.
double stable_pow(double base, double exponent);

struct SinCos {
  double sin;
  double cos;
};

/// Within 2^-52 of the true values for |x| < 2^20, and 2^-72 |x| beyond.
SinCos stable_sin_cos(double x);

/// Within 2^-52 of the true value. NaN gives NaN.
double stable_tanh(double x);

/// The error function, 2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x, within 2^-48. NaN
/// gives NaN.
double stable_erf(double x);

/// ln of the sum of e^logit over `logits`, which are finite or -infinity, not all -infinity.
/// A logit less this is its log-probability under softmax.
double log_sum_exp(std::span<const float> logits);

}  // namespace hearth
