#include "base/stable_math.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "base/error.h"

namespace hearth {

double stable_log(double x) {
  const auto bits = std::bit_cast<std::uint64_t>(x);
  HEARTH_CHECK(bits >= 0x0010000000000000u && bits < 0x7FF0000000000000u);
  // x = 2^k m with m in [sqrt(1/2), sqrt(2)), so that ln x has no cancellation between its parts.
  int k = static_cast<int>(bits >> 52) - 1023;
  double m = std::bit_cast<double>((bits & 0x000FFFFFFFFFFFFFu) | 0x3FF0000000000000u);
  if (m >= 0x1.6a09e667f3bcdp0) {
    m *= 0.5;
    ++k;
  }
  // ln m = 2 atanh(s) = 2 (s + s^3/3 + s^5/5 + ...), |s| <= 0.172
  const double f = m - 1.0;
  const double s = f / (2.0 + f);
  const double z = s * s;
  double tail = 0.0;
  for (int odd = 25; odd >= 3; odd -= 2) tail = (tail + 1.0 / odd) * z;
  const double ln_m = 2.0 * s + 2.0 * s * tail;
  return k * detail::kLn2High + (ln_m + k * detail::kLn2Low);
}

double stable_pow(double base, double exponent) {
  return stable_exp(exponent * stable_log(base));
}

SinCos stable_sin_cos(double x) {
  // x = n pi/2 + r with |r| <= pi/4. pi/2 in three parts of which the first two have 33 bits, so
  // that n times them is exact for n below 2^20. Adding 1.5 * 2^52 rounds to an integer.
  constexpr double kRound = 0x1.8p52;
  const double shifted = x * 0x1.45f306dc9c883p-1 + kRound;
  const double n = shifted - kRound;
  const double r = ((x - n * 0x1.921fb544p0) - n * 0x1.0b4611a6p-34) - n * 0x1.3198a2e037073p-69;
  const double z = r * r;
  // Taylor series; the first terms left out are below 2^-57.
  double s = 0.0;
  for (int i = 17; i >= 3; i -= 2) s = (s + 1.0) * (-z / (i * (i - 1)));
  s = r + r * s;
  double c = 0.0;
  for (int i = 18; i >= 2; i -= 2) c = (c + 1.0) * (-z / (i * (i - 1)));
  c = 1.0 + c;
  switch (std::bit_cast<std::uint64_t>(shifted) & 3U) {
    case 0:
      return {s, c};
    case 1:
      return {c, -s};
    case 2:
      return {-s, -c};
    default:
      return {-c, s};
  }
}

double stable_tanh(double x) {
  const double a = x < 0.0 ? -x : x;
  if (a < 0.5) {
    // Lambert's continued fraction x / (1 + x^2 / (3 + x^2 / (5 + ...)))
    double f = 19.0;
    for (int odd = 17; odd >= 1; odd -= 2) f = odd + x * x / f;
    return x / f;
  }
  const double t = a > 20.0 ? 1.0 : 1.0 - 2.0 / (stable_exp(2.0 * a) + 1.0);
  return x < 0.0 ? -t : a == a ? t : x;
}

double stable_erf(double x) {
  const double a = x < 0.0 ? -x : x;
  if (!(a == a)) return x;
  if (a > 6.0) return x < 0.0 ? -1.0 : 1.0;
  // Kummer's series: erf(x) = 2 x / sqrt(pi) e^(-x^2) (1 + 2x^2/3 + (2x^2)^2/(3 5) + ...), all of
  // whose terms have the same sign.
  constexpr double kTwoOverSqrtPi = 0x1.20dd750429b6dp0;
  double term = 1.0;
  double sum = 1.0;
  for (int odd = 3; term > 0x1p-60 * sum; odd += 2) {
    term *= 2.0 * x * x / odd;
    sum += term;
  }
  return kTwoOverSqrtPi * x * stable_exp(-x * x) * sum;
}

double log_sum_exp(std::span<const float> logits) {
  HEARTH_CHECK(!logits.empty());
  const double max = *std::max_element(logits.begin(), logits.end());
  // Blocks, so that the exponentials vectorise; four running sums: a fixed order that does not wait
  // for one addition after the other.
  constexpr std::size_t kBlock = 256;
  std::array<double, kBlock> terms{};
  std::array<double, 4> sums{};
  for (std::size_t begin = 0; begin < logits.size(); begin += kBlock) {
    const std::size_t n = std::min(kBlock, logits.size() - begin);
    for (std::size_t i = 0; i < n; ++i) terms[i] = stable_exp(logits[begin + i] - max);
    for (std::size_t i = 0; i < n; ++i) sums[i % 4] += terms[i];
  }
  return max + stable_log((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

}  // namespace hearth
