// out row t = sum over k of weights[t][k] times row t K + k of x. An invocation per element.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common/base.glsl"

layout(binding = 0) readonly buffer In { float x[]; };
layout(binding = 1) readonly buffer Weights { float weights[]; };
layout(binding = 2) writeonly buffer Out { float y[]; };

layout(push_constant) uniform Push {
  uint n_rows, columns, n_used;
  uint x_at, x_stride;
  uint weights_at, weights_stride;
  uint y_at, y_stride;
};

void main() {
  const uint row = invocation() / columns;
  const uint c = invocation() % columns;
  if (row >= n_rows) return;
  float sum = 0.0;
  for (uint k = 0; k < n_used; ++k) {
    sum += weights[weights_at + row * weights_stride + k] * x[x_at + (row * n_used + k) * x_stride + c];
  }
  y[y_at + row * y_stride + c] = sum;
}
