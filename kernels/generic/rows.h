// Rows of floats, in the operations of a level's Floats. The statement: scalar/rows.cpp.
#pragma once

#include "kernels/generic/functions.h"
#include "kernels/row_kernels.h"

namespace hearth::kernels {
namespace {

/// out[i] = compute(in[i]...), sixteen at a time.
template <class S, class Compute, class... Rows>
void map_rows(std::size_t n, float* out, Compute compute, const Rows*... in) {
  std::size_t i = 0;
  for (; i + 16 <= n; i += 16) S::store(out + i, compute(S::load(in + i)...));
  if (i < n) S::store_first(out + i, compute(S::load_first(in + i, n - i)...), n - i);
}

template <class S>
void rms_norm(const float* x, const float* weight, std::size_t n, float eps, float* out) {
  auto squares = S::zero();
  std::size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    const auto v = S::load(x + i);
    squares = S::fma(v, v, squares);
  }
  if (i < n) {
    const auto v = S::load_first(x + i, n - i);
    squares = S::fma(v, v, squares);
  }
  const float mean = S::sum(squares) / static_cast<float>(n);
  const auto inverse = S::set(1.0F / __builtin_sqrtf(mean + eps));
  map_rows<S>(
      n, out, [inverse](auto v, auto w) { return S::mul(S::mul(v, inverse), w); }, x, weight);
}

template <class S>
void layer_norm(const float* x, const float* weight, const float* bias, std::size_t n, float eps,
                float* out) {
  auto sums = S::zero();
  std::size_t i = 0;
  for (; i + 16 <= n; i += 16) sums = S::add(sums, S::load(x + i));
  if (i < n) sums = S::add(sums, S::load_first(x + i, n - i));
  const auto mean = S::set(S::sum(sums) / static_cast<float>(n));
  auto squares = S::zero();
  for (i = 0; i + 16 <= n; i += 16) {
    const auto d = S::sub(S::load(x + i), mean);
    squares = S::fma(d, d, squares);
  }
  if (i < n) {
    const auto d = S::keep_first(S::sub(S::load_first(x + i, n - i), mean), n - i);
    squares = S::fma(d, d, squares);
  }
  const float variance = S::sum(squares) / static_cast<float>(n);
  const auto inverse = S::set(1.0F / __builtin_sqrtf(variance + eps));
  const auto normal = [=](auto v) { return S::mul(S::sub(v, mean), inverse); };
  if (bias) {
    map_rows<S>(
        n, out, [=](auto v, auto w, auto b) { return S::fma(normal(v), w, b); }, x, weight, bias);
  } else {
    map_rows<S>(
        n, out, [=](auto v, auto w) { return S::mul(normal(v), w); }, x, weight);
  }
}

template <class S>
void add(const float* a, const float* b, std::size_t n, float* out) {
  map_rows<S>(
      n, out, [](auto v, auto w) { return S::add(v, w); }, a, b);
}

template <class S>
void scale(const float* x, float factor, std::size_t n, float* out) {
  map_rows<S>(
      n, out, [f = S::set(factor)](auto v) { return S::mul(v, f); }, x);
}

template <class S>
void softcap(const float* x, float cap, std::size_t n, float* out) {
  const auto c = S::set(cap);
  map_rows<S>(
      n, out, [c](auto v) { return S::mul(tanh<S>(S::div(v, c)), c); }, x);
}

template <class S, Activation activation>
void activate_row(const float* x, std::size_t n, float* out) {
  map_rows<S>(
      n, out, [](auto v) { return activate<S, activation>(v); }, x);
}

template <class S, Activation activation>
void glu(const float* gate, const float* up, std::size_t n, float* out) {
  map_rows<S>(
      n, out, [](auto g, auto u) { return S::mul(activate<S, activation>(g), u); }, gate, up);
}

/// Sixteen pairs (a, b) turned.
template <class S>
void turn(typename S::V& a, typename S::V& b, typename S::V cosine, typename S::V sine) {
  const auto turned = S::fma(a, cosine, S::mul(b, S::sub(S::zero(), sine)));
  b = S::fma(b, cosine, S::mul(a, sine));
  a = turned;
}

template <class S>
void rope_halves(float* x, std::size_t n_heads, std::size_t head_dim, const float* cosines,
                 const float* sines, std::size_t n_pairs) {
  for (std::size_t h = 0; h < n_heads; ++h, x += head_dim) {
    std::size_t i = 0;
    for (; i + 16 <= n_pairs; i += 16) {
      auto a = S::load(x + i);
      auto b = S::load(x + n_pairs + i);
      turn<S>(a, b, S::load(cosines + i), S::load(sines + i));
      S::store(x + i, a);
      S::store(x + n_pairs + i, b);
    }
    if (i < n_pairs) {
      const std::size_t n = n_pairs - i;
      auto a = S::load_first(x + i, n);
      auto b = S::load_first(x + n_pairs + i, n);
      turn<S>(a, b, S::load_first(cosines + i, n), S::load_first(sines + i, n));
      S::store_first(x + i, a, n);
      S::store_first(x + n_pairs + i, b, n);
    }
  }
}

template <class S>
void rope_interleaved(float* x, std::size_t n_heads, std::size_t head_dim, const float* cosines,
                      const float* sines, std::size_t n_pairs) {
  const auto turned = [](auto v, auto c, auto s) {
    return S::fma(v, c, S::mul(S::swap_neighbours(v), s));
  };
  for (std::size_t h = 0; h < n_heads; ++h, x += head_dim) {
    map_rows<S>(2 * n_pairs, x, turned, x, cosines, sines);
  }
}

template <class S, Activation activation>
void install_activation(RowKernels& rows) {
  rows.activate[static_cast<int>(activation)] = activate_row<S, activation>;
  rows.glu[static_cast<int>(activation)] = glu<S, activation>;
}

template <class S>
void install_rows(RowKernels& rows) {
  rows.rms_norm = rms_norm<S>;
  rows.layer_norm = layer_norm<S>;
  rows.add = add<S>;
  rows.scale = scale<S>;
  rows.softcap = softcap<S>;
  rows.rope_halves = rope_halves<S>;
  rows.rope_interleaved = rope_interleaved<S>;
  install_activation<S, Activation::silu>(rows);
  install_activation<S, Activation::gelu_tanh>(rows);
  install_activation<S, Activation::gelu_erf>(rows);
  install_activation<S, Activation::relu>(rows);
  install_activation<S, Activation::relu_squared>(rows);
}

}  // namespace
}  // namespace hearth::kernels
