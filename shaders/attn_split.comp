// Attention for few rows: the keys of a row are cut into chunks, and a workgroup has a head and a chunk. It leaves the
// highest score, the sum of the weights, and the weighted sum of the values; attn_merge puts the chunks together.
#version 450
#extension GL_GOOGLE_include_directive : require
#define STEP_BINDING 4
#include "common/base.glsl"
#include "common/math.glsl"
#include "common/kv.glsl"
#include "common/reduce.glsl"
#include "common/step.glsl"
#include "common/visible.glsl"

layout(constant_id = 2) const uint DIM_K = 64;
layout(constant_id = 3) const uint DIM_V = 64;

layout(binding = 0) readonly buffer Queries { float q[]; };
layout(binding = 1) readonly buffer KeyCache { uint keys[]; };
layout(binding = 2) readonly buffer ValueCache { uint values[]; };
layout(binding = 3) writeonly buffer Partial { float partial[]; };  // [row][head][chunk][DIM_V + 2]

layout(push_constant) uniform Push {
  uint first_row, n_head, n_head_kv, n_ctx;
  uint q_at, q_stride;
  uint chunk, n_chunks;  // keys in a chunk
  uint window, causal;
  float scale, softcap, max_alibi_bias;
};

shared float query[DIM_K];
shared float weight[WG];

float product(uint key_at) {
  float sum = 0.0;
  if (KV_TYPE == kKvHalves) {
    for (uint i = 0; i < DIM_K / 2; ++i) {
      const uint pair = keys[key_at + i];
      sum += query[2 * i] * f16(pair) + query[2 * i + 1] * f16(pair >> 16);
    }
  } else if (KV_TYPE == kKvBytes) {
    for (uint block = 0; block < DIM_K / 32; ++block) {
      float part = 0.0;
      for (uint i = 8 * block; i < 8 * block + 8; ++i) {
        const uint four = keys[key_at + i];
        for (uint j = 0; j < 4; ++j) part += query[4 * i + j] * kv_byte(four, j);
      }
      sum += part * f16(keys[key_at + DIM_K / 4 + block / 2] >> (16 * (block & 1)));
    }
  } else {
    for (uint i = 0; i < DIM_K; ++i) sum += query[i] * uintBitsToFloat(keys[key_at + i]);
  }
  return sum;
}

float value(uint at, uint d) { return KV_ELEMENT(values, at, d, DIM_V); }

void main() {
  const uint head = gl_WorkGroupID.x;
  const uint n_row = first_row + gl_WorkGroupID.z;
  const Row row = step_row(n_row);
  const Keys visible = visible_keys(row, window, causal != 0);
  const uint first = max(visible.first, gl_WorkGroupID.y * chunk);
  const uint last = min(visible.last, (gl_WorkGroupID.y + 1) * chunk);
  if (first >= last) return;  // the whole workgroup; attn_merge knows

  for (uint i = lane(); i < DIM_K; i += WG) query[i] = q[q_at + n_row * q_stride + head * DIM_K + i];
  barrier();
  const uint head_first = (row.slot * n_head_kv + head / (n_head / n_head_kv)) * n_ctx;
  const float slope = alibi_slope(head, n_head, max_alibi_bias);
  float highest = -kInfinity;
  float total = 0.0;
  float sum[(DIM_V + WG - 1) / WG];
  for (uint e = 0; e < (DIM_V + WG - 1) / WG; ++e) sum[e] = 0.0;
  for (uint base = first; base < last; base += WG) {
    const uint key = base + lane();
    float score = -kInfinity;
    if (key < last) {
      score = finish_score(product((head_first + key) * kv_words(DIM_K)), scale, softcap, slope, row.position, key);
    }
    const float new_highest = max(highest, workgroup_max(score));
    const float shrink = exp(highest - new_highest);
    const float w = key < last ? exp(score - new_highest) : 0.0;
    weight[lane()] = w;
    total = total * shrink + workgroup_sum(w);
    const uint n = min(WG, last - base);
    for (uint e = 0; e < (DIM_V + WG - 1) / WG; ++e) {
      const uint d = e * WG + lane();
      if (d >= DIM_V) break;
      float s = sum[e] * shrink;
      for (uint i = 0; i < n; ++i) s += weight[i] * value((head_first + base + i) * kv_words(DIM_V), d);
      sum[e] = s;
    }
    highest = new_highest;
    barrier();
  }
  const uint to = ((gl_WorkGroupID.z * n_head + head) * n_chunks + gl_WorkGroupID.y) * (DIM_V + 2);
  if (lane() == 0) {
    partial[to] = highest;
    partial[to + 1] = total;
  }
  for (uint e = 0; e < (DIM_V + WG - 1) / WG; ++e) {
    const uint d = e * WG + lane();
    if (d < DIM_V) partial[to + 2 + d] = sum[e];
  }
}
