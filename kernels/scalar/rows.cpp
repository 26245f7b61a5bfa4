#include "kernels/scalar/rows.h"

#include "kernels/scalar/functions.h"
#include "kernels/scalar/sum.h"

namespace hearth::kernels::scalar {
namespace {

void rms_norm(const float* x, const float* weight, std::size_t n, float eps, float* out) {
  float squares[16] = {};
  for (std::size_t i = 0; i < n; ++i) squares[i % 16] = __builtin_fmaf(x[i], x[i], squares[i % 16]);
  const float mean = sum_of_lanes(squares) / static_cast<float>(n);
  const float inverse = 1.0F / __builtin_sqrtf(mean + eps);
  for (std::size_t i = 0; i < n; ++i) out[i] = x[i] * inverse * weight[i];
}

void layer_norm(const float* x, const float* weight, const float* bias, std::size_t n, float eps,
                float* out) {
  float sums[16] = {};
  for (std::size_t i = 0; i < n; ++i) sums[i % 16] += x[i];
  const float mean = sum_of_lanes(sums) / static_cast<float>(n);
  float squares[16] = {};
  for (std::size_t i = 0; i < n; ++i) {
    const float d = x[i] - mean;
    squares[i % 16] = __builtin_fmaf(d, d, squares[i % 16]);
  }
  const float variance = sum_of_lanes(squares) / static_cast<float>(n);
  const float inverse = 1.0F / __builtin_sqrtf(variance + eps);
  for (std::size_t i = 0; i < n; ++i) {
    const float d = (x[i] - mean) * inverse;
    out[i] = bias ? __builtin_fmaf(d, weight[i], bias[i]) : d * weight[i];
  }
}

void add(const float* a, const float* b, std::size_t n, float* out) {
  for (std::size_t i = 0; i < n; ++i) out[i] = a[i] + b[i];
}

void scale(const float* x, float factor, std::size_t n, float* out) {
  for (std::size_t i = 0; i < n; ++i) out[i] = x[i] * factor;
}

void softcap(const float* x, float cap, std::size_t n, float* out) {
  for (std::size_t i = 0; i < n; ++i) out[i] = tanh(x[i] / cap) * cap;
}

template <Activation activation>
void activate_row(const float* x, std::size_t n, float* out) {
  for (std::size_t i = 0; i < n; ++i) out[i] = activate(activation, x[i]);
}

template <Activation activation>
void glu(const float* gate, const float* up, std::size_t n, float* out) {
  for (std::size_t i = 0; i < n; ++i) out[i] = activate(activation, gate[i]) * up[i];
}

/// (a, b) turned.
void turn(float& a, float& b, float cosine, float sine) {
  const float turned = __builtin_fmaf(a, cosine, -(b * sine));
  b = __builtin_fmaf(b, cosine, a * sine);
  a = turned;
}

void rope_halves(float* x, std::size_t n_heads, std::size_t head_dim, const float* cosines,
                 const float* sines, std::size_t n_pairs) {
  for (std::size_t h = 0; h < n_heads; ++h, x += head_dim) {
    for (std::size_t i = 0; i < n_pairs; ++i) turn(x[i], x[i + n_pairs], cosines[i], sines[i]);
  }
}

void rope_interleaved(float* x, std::size_t n_heads, std::size_t head_dim, const float* cosines,
                      const float* sines, std::size_t n_pairs) {
  for (std::size_t h = 0; h < n_heads; ++h, x += head_dim) {
    for (std::size_t i = 0; i < n_pairs; ++i) {
      turn(x[2 * i], x[2 * i + 1], cosines[2 * i + 1], sines[2 * i + 1]);
    }
  }
}

template <Activation activation>
void add_activation(RowKernels& rows) {
  rows.activate[static_cast<int>(activation)] = activate_row<activation>;
  rows.glu[static_cast<int>(activation)] = glu<activation>;
}

}  // namespace

RowKernels row_kernels() {
  RowKernels rows{.rms_norm = rms_norm,
                  .layer_norm = layer_norm,
                  .add = add,
                  .scale = scale,
                  .softcap = softcap,
                  .activate = {},
                  .glu = {},
                  .rope_halves = rope_halves,
                  .rope_interleaved = rope_interleaved};
  add_activation<Activation::silu>(rows);
  add_activation<Activation::gelu_tanh>(rows);
  add_activation<Activation::gelu_erf>(rows);
  add_activation<Activation::relu>(rows);
  add_activation<Activation::relu_squared>(rows);
  return rows;
}

}  // namespace hearth::kernels::scalar
