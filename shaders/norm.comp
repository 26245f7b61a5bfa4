// rms_norm and layer_norm: a workgroup per group of a row. In place is allowed: each element is read and written by one lane. With
// QUADS a lane holds that many times four elements between its reading and its writing, and the next product may have what it takes
// right away, the row as bytes.
#version 450
#extension GL_GOOGLE_include_directive : require
#define BYTES_BINDING 4
#include "common/base.glsl"
#include "common/bytes.glsl"
#include "common/reduce.glsl"

layout(constant_id = 1) const uint CENTRED = 0;  // layer_norm: the mean is taken away, a bias may be added
layout(constant_id = 2) const uint QUADS = 0;    // 0: rows of any length, anywhere
layout(constant_id = 3) const uint AS_BYTES = 0;
const uint kHeld = QUADS == 0 ? 1 : QUADS;

layout(binding = 0) readonly buffer In { float x[]; };
layout(binding = 0) readonly buffer InQuads { vec4 x_quads[]; };
layout(binding = 1) readonly buffer Weight { float weight[]; };
layout(binding = 1) readonly buffer WeightQuads { vec4 weight_quads[]; };
layout(binding = 2) readonly buffer Bias { float bias[]; };
layout(binding = 2) readonly buffer BiasQuads { vec4 bias_quads[]; };
layout(binding = 3) writeonly buffer Out { float y[]; };
layout(binding = 3) writeonly buffer OutQuads { vec4 y_quads[]; };

layout(push_constant) uniform Push {
  uint n_rows, groups, n;  // n elements in a group
  uint x_at, x_stride;
  uint y_at, y_stride;
  uint weight_at, weight_stride;  // stride 0: one row for all groups
  uint bias_at, bias_stride, has_bias;
  float eps;
};

float sum_of(vec4 v) { return (v.x + v.y) + (v.z + v.w); }

void norm_quads(uint row, uint g) {
  const uint from = (x_at + row * x_stride + g * n) / 4;
  const uint to = (y_at + row * y_stride + g * n) / 4;
  const uint weight_from = (weight_at + g * weight_stride) / 4;
  const uint bias_from = (bias_at + g * bias_stride) / 4;
  vec4 v[kHeld];
  vec4 factor[kHeld];
  [[unroll]] for (uint i = 0; i < kHeld; ++i) {
    const uint quad = i * WG + lane();
    v[i] = quad < n / 4 ? x_quads[from + quad] : vec4(0.0);
    factor[i] = quad < n / 4 ? weight_quads[weight_from + quad] : vec4(0.0);
  }
  if (CENTRED != 0) {
    float sum = 0.0;
    [[unroll]] for (uint i = 0; i < kHeld; ++i) sum += sum_of(v[i]);
    const float mean = workgroup_sum(sum) / float(n);
    [[unroll]] for (uint i = 0; i < kHeld; ++i) v[i] = i * WG + lane() < n / 4 ? v[i] - mean : vec4(0.0);
  }
  float squares = 0.0;
  [[unroll]] for (uint i = 0; i < kHeld; ++i) squares += sum_of(v[i] * v[i]);
  const float inverse = 1.0 / sqrt(workgroup_sum(squares) / float(n) + eps);
  [[unroll]] for (uint i = 0; i < kHeld; ++i) {
    const uint quad = i * WG + lane();
    const bool is_there = quad < n / 4;
    vec4 result = v[i] * inverse * factor[i];
    if (CENTRED != 0 && has_bias != 0 && is_there) result += bias_quads[bias_from + quad];
    if (is_there) y_quads[to + quad] = result;
    if (AS_BYTES != 0) store_bytes(result, is_there, row * (n / 32) + quad / 8, n_rows * (n / 32));
  }
}

void norm_elements(uint row, uint g) {
  const uint from = x_at + row * x_stride + g * n;
  float mean = 0.0;
  if (CENTRED != 0) {
    for (uint i = lane(); i < n; i += WG) mean += x[from + i];
    mean = workgroup_sum(mean) / float(n);
  }
  float squares = 0.0;
  for (uint i = lane(); i < n; i += WG) {
    const float v = x[from + i] - mean;
    squares += v * v;
  }
  const float inverse = 1.0 / sqrt(workgroup_sum(squares) / float(n) + eps);
  const uint to = y_at + row * y_stride + g * n;
  for (uint i = lane(); i < n; i += WG) {
    float v = (x[from + i] - mean) * inverse * weight[weight_at + g * weight_stride + i];
    if (CENTRED != 0 && has_bias != 0) v += bias[bias_at + g * bias_stride + i];
    y[to + i] = v;
  }
}

void main() {
  const uint row = group() / groups;
  const uint g = group() % groups;
  if (row >= n_rows) return;  // the whole workgroup
  if (QUADS != 0) {
    norm_quads(row, g);
  } else {
    norm_elements(row, g);
  }
}
