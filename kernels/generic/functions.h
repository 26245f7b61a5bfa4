// Sums of lanes, exp, tanh and the activations, in the operations of a level's Floats. The
// statement: scalar/functions.h.
#pragma once

#include "kernels/activation.h"
#include "kernels/function_constants.h"

namespace hearth::kernels {
namespace {

/// out[i] = the sum of a[i], for n of them. Unrolled, so that they need not have addresses.
template <class S, int n>
void add_lanes(const typename S::V* a, float* out) {
  int i = 0;
  if constexpr (requires { S::sums_of_8(a, out); }) {
#pragma GCC unroll 8
    for (; i + 8 <= n; i += 8) S::sums_of_8(a + i, out + i);
  }
#pragma GCC unroll 8
  for (; i < n; ++i) out[i] = S::sum(a[i]);
}

template <class S, int n>
typename S::V polynomial(const float (&c)[n], typename S::V x) {
  auto sum = S::set(c[0]);
#pragma GCC unroll 16
  for (int i = 1; i < n; ++i) sum = S::fma(sum, x, S::set(c[i]));
  return sum;
}

/// e^x of x <= kExpHighest, or NaN.
template <class S>
typename S::V exp_of_small(typename S::V x) {
  const auto shifted = S::fma(x, S::set(kLog2E), S::set(kExpShift));
  const auto power = S::as_float(S::template shift_left<23>(S::bits(shifted)));
  const auto n = S::sub(shifted, S::set(kExpShift));
  auto r = S::fma(n, S::set(-kLn2High), x);
  r = S::fma(n, S::set(-kLn2Low), r);
  auto p = polynomial<S>(kExp, r);
  p = S::fma(p, r, S::set(1.0F));
  p = S::fma(p, r, S::set(1.0F));
  return S::where_less(x, S::set(kExpLowest), S::zero(), S::mul(p, power));
}

template <class S>
typename S::V exp(typename S::V x) {
  return S::where_less(S::set(kExpHighest), x, S::set(__builtin_inff()), exp_of_small<S>(x));
}

template <class S>
typename S::V tanh(typename S::V x) {
  const auto magnitude = S::absolute(x);
  const auto square = S::mul(x, x);
  const auto small = S::fma(S::mul(polynomial<S>(kTanh, square), square), x, x);
  const auto grown = S::add(exp<S>(S::add(magnitude, magnitude)), S::set(1.0F));
  const auto large = S::sub(S::set(1.0F), S::div(S::set(2.0F), grown));
  const auto sign = S::bit_and(S::bits(x), S::set(static_cast<std::int32_t>(0x80000000u)));
  return S::where_less(magnitude, S::set(kTanhSmall), small,
                       S::as_float(S::bit_or(S::bits(large), sign)));
}

template <class S, Activation activation>
typename S::V activate(typename S::V x) {
  const auto one = S::set(1.0F);
  if constexpr (activation == Activation::silu) {
    return S::div(x, S::add(exp<S>(S::sub(S::zero(), x)), one));
  } else if constexpr (activation == Activation::gelu_tanh) {
    const auto inner = S::fma(S::mul(x, x), S::set(kGeluB), S::set(kGeluA));
    return S::div(x, S::add(exp<S>(S::mul(x, inner)), one));
  } else if constexpr (activation == Activation::gelu_erf) {
    const auto magnitude = S::absolute(x);
    const auto z = S::mul(magnitude, S::set(kSqrtHalf));
    const auto t = S::div(one, S::fma(z, S::set(0.5F), one));
    const auto erfc =
        S::mul(polynomial<S>(kErfc, t), exp_of_small<S>(S::mul(z, S::sub(S::zero(), z))));
    return S::sub(S::max(x, S::zero()), S::mul(S::mul(magnitude, S::set(0.5F)), erfc));
  } else {
    const auto positive = S::max(x, S::zero());
    return activation == Activation::relu ? positive : S::mul(positive, positive);
  }
}

}  // namespace
}  // namespace hearth::kernels
