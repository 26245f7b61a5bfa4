// rms_norm and layer_norm: a workgroup per group of a row. In place is allowed: each element is read and written by one lane.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common/base.glsl"
#include "common/reduce.glsl"

layout(constant_id = 1) const uint CENTRED = 0;  // layer_norm: the mean is taken away, a bias may be added

layout(binding = 0) readonly buffer In { float x[]; };
layout(binding = 1) readonly buffer Weight { float weight[]; };
layout(binding = 2) readonly buffer Bias { float bias[]; };
layout(binding = 3) writeonly buffer Out { float y[]; };

layout(push_constant) uniform Push {
  uint n_rows, groups, n;  // n elements in a group
  uint x_at, x_stride;
  uint y_at, y_stride;
  uint weight_at, weight_stride;  // stride 0: one row for all groups
  uint bias_at, bias_stride, has_bias;
  float eps;
};

void main() {
  const uint row = group() / groups;
  const uint g = group() % groups;
  if (row >= n_rows) return;  // the whole workgroup
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
