// Puts the chunks of attn_split together: a workgroup per head and row.
#version 450
#extension GL_GOOGLE_include_directive : require
#define STEP_BINDING 2
#include "common/base.glsl"
#include "common/math.glsl"
#include "common/step.glsl"
#include "common/visible.glsl"

layout(binding = 0) readonly buffer Partial { float partial[]; };
layout(binding = 1) writeonly buffer Out { float y[]; };

layout(push_constant) uniform Push {
  uint first_row, n_head, dim_v;
  uint y_at, y_stride;
  uint chunk, n_chunks;
  uint window, causal;
};

void main() {
  const uint head = gl_WorkGroupID.x;
  const uint n_row = first_row + gl_WorkGroupID.z;
  const Keys visible = visible_keys(step_row(n_row), window, causal != 0);
  const uint first = visible.first / chunk;
  const uint last = min((visible.last + chunk - 1) / chunk, n_chunks);
  const uint from = (gl_WorkGroupID.z * n_head + head) * n_chunks * (dim_v + 2);
  float highest = -kInfinity;
  for (uint c = first; c < last; ++c) highest = max(highest, partial[from + c * (dim_v + 2)]);
  float total = 0.0;
  for (uint c = first; c < last; ++c) {
    const uint at = from + c * (dim_v + 2);
    total += partial[at + 1] * exp(partial[at] - highest);
  }
  for (uint d = lane(); d < dim_v; d += WG) {
    float sum = 0.0;
    for (uint c = first; c < last; ++c) {
      const uint at = from + c * (dim_v + 2);
      sum += partial[at + 2 + d] * exp(partial[at] - highest);
    }
    y[y_at + n_row * y_stride + head * dim_v + d] = sum / total;
  }
}
