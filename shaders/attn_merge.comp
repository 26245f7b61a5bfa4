// Puts the chunks of attn_split together: a workgroup per head and row. The row may be had as bytes too, for the product that follows.
#version 450
#extension GL_GOOGLE_include_directive : require
#define STEP_BINDING 2
#define BYTES_BINDING 3
#include "common/base.glsl"
#include "common/bytes.glsl"
#include "common/math.glsl"
#include "common/step.glsl"
#include "common/visible.glsl"
#include "common/chunks.glsl"

layout(constant_id = 1) const uint DIM_V = 64;
layout(constant_id = 2) const uint CHUNKS = 16;
layout(constant_id = 3) const uint AS_BYTES = 0;
const uint kParts = WG >= DIM_V ? WG / DIM_V : 1;  // of the chunks, that lanes have with the same elements
const uint kAtOnce = 8;                                // chunks whose sums are asked for together

layout(binding = 0) readonly buffer Partial { float partial[]; };
layout(binding = 1) writeonly buffer Out { float y[]; };

layout(push_constant) uniform Push {
  uint first_row, n_rows, n_head;
  uint y_at, y_stride;
  uint window, causal;
};

shared float highest_of[CHUNKS];
shared float total_of[CHUNKS];
shared float weight[CHUNKS];
shared float sums[kParts * DIM_V];

void main() {
  const uint head = gl_WorkGroupID.x;
  const uint row = gl_WorkGroupID.z;
  const Keys visible = visible_keys(step_row(first_row + row), window, causal != 0);
  const uint size = chunk_size(visible, CHUNKS);
  const uint n = (visible.last - visible.first + size - 1) / size;
  const uint from = (row * n_head + head) * CHUNKS;
  const uint stats_from = n_rows * n_head * CHUNKS * DIM_V + 2 * from;
  for (uint c = lane(); c < n; c += WG) {
    highest_of[c] = partial[stats_from + 2 * c];
    total_of[c] = partial[stats_from + 2 * c + 1];
  }
  barrier();
  float highest = -kInfinity;
  for (uint c = 0; c < n; ++c) highest = max(highest, highest_of[c]);
  for (uint c = lane(); c < n; c += WG) weight[c] = exp(highest_of[c] - highest);
  barrier();
  float total = 0.0;
  for (uint c = 0; c < n; ++c) total += weight[c] * total_of[c];
  for (uint i = lane(); i < kParts * DIM_V; i += WG) {
    const uint d = i % DIM_V;
    float sum = 0.0;
    for (uint first = i / DIM_V; first < n; first += kAtOnce * kParts) {
      [[unroll]] for (uint j = 0; j < kAtOnce; ++j) {
        const uint c = first + j * kParts;
        sum += (c < n ? weight[c] : 0.0) * partial[(from + min(c, n - 1)) * DIM_V + d];
      }
    }
    sums[i] = sum;
  }
  barrier();
  for (uint d = lane(); d < DIM_V; d += WG) {
    float sum = sums[d];
    for (uint part = 1; part < kParts; ++part) sum += sums[part * DIM_V + d];
    sum /= total;
    sums[d] = sum;
    y[y_at + (first_row + row) * y_stride + head * DIM_V + d] = sum;
  }
  if (AS_BYTES == 0) return;
  barrier();
  const uint units = n_head * DIM_V / 32;  // of a row
  for (uint base = 0; base < DIM_V / 4; base += WG) {
    const uint quad = base + lane();
    const bool is_there = quad < DIM_V / 4;
    vec4 v = vec4(0.0);
    if (is_there) v = vec4(sums[4 * quad], sums[4 * quad + 1], sums[4 * quad + 2], sums[4 * quad + 3]);
    store_bytes(v, is_there, row * units + head * (DIM_V / 32) + quad / 8, n_rows * units);
  }
}
