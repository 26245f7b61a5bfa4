// Attention for many rows of one sequence: a workgroup has a head and ROWS rows, and goes through the keys in blocks of
// KEYS with a running maximum (arXiv 2205.14135).
#version 450
#extension GL_GOOGLE_include_directive : require
#define STEP_BINDING 4
#include "common/base.glsl"
#include "common/math.glsl"
#include "common/kv.glsl"
#include "common/step.glsl"
#include "common/visible.glsl"

layout(constant_id = 2) const uint DIM_K = 64;
layout(constant_id = 3) const uint DIM_V = 64;
layout(constant_id = 4) const uint ROWS = 8;
layout(constant_id = 5) const uint KEYS = 16;

layout(binding = 0) readonly buffer Queries { float q[]; };
layout(binding = 1) readonly buffer KeyCache { uint keys[]; };
layout(binding = 2) readonly buffer ValueCache { uint values[]; };
layout(binding = 3) writeonly buffer Out { float y[]; };

layout(push_constant) uniform Push {
  uint first_row, n_rows, n_head, n_head_kv, n_ctx;
  uint q_at, q_stride;
  uint y_at, y_stride;
  uint window, causal;
  float scale, softcap, max_alibi_bias;
};

shared float query[ROWS * DIM_K];
shared float key_block[KEYS * (DIM_K + 1)];
shared float weight[ROWS * KEYS];
shared float highest[ROWS];
shared float shrink[ROWS];
shared float total[ROWS];

/// Weights of a block of keys relative to the new maximum, one row per lane.
void update_row(uint r, uint n) {
  float new_highest = highest[r];
  for (uint i = 0; i < n; ++i) new_highest = max(new_highest, weight[r * KEYS + i]);
  if (new_highest == -kInfinity) {  // it sees none of these keys, nor any before
    shrink[r] = 1.0;
    for (uint i = 0; i < n; ++i) weight[r * KEYS + i] = 0.0;
    return;
  }
  const float factor = exp(highest[r] - new_highest);
  float sum = 0.0;
  for (uint i = 0; i < n; ++i) {
    const float w = exp(weight[r * KEYS + i] - new_highest);
    weight[r * KEYS + i] = w;
    sum += w;
  }
  shrink[r] = factor;
  total[r] = total[r] * factor + sum;
  highest[r] = new_highest;
}

void main() {
  const uint head = gl_WorkGroupID.x;
  const uint first = gl_WorkGroupID.y * ROWS;  // of the run
  const uint rows = min(ROWS, n_rows - first);
  for (uint i = lane(); i < ROWS * DIM_K; i += WG) {
    const uint r = i / DIM_K;
    query[i] = r < rows ? q[q_at + (first_row + first + r) * q_stride + head * DIM_K + i % DIM_K] : 0.0;
  }
  for (uint r = lane(); r < ROWS; r += WG) {
    highest[r] = -kInfinity;
    total[r] = 0.0;
  }
  const Row place = step_row(first_row + first);
  const uint head_first = (place.slot * n_head_kv + head / (n_head / n_head_kv)) * n_ctx;
  const uint begin = visible_keys(place, window, causal != 0).first;
  const uint end = visible_keys(step_row(first_row + first + rows - 1), window, causal != 0).last;
  const float slope = alibi_slope(head, n_head, max_alibi_bias);
  float sum[ROWS][(DIM_V + WG - 1) / WG];
  for (uint r = 0; r < ROWS; ++r) {
    for (uint e = 0; e < (DIM_V + WG - 1) / WG; ++e) sum[r][e] = 0.0;
  }
  for (uint base = begin; base < end; base += KEYS) {
    const uint n = min(KEYS, end - base);
    for (uint i = lane(); i < n * DIM_K; i += WG) {
      key_block[i / DIM_K * (DIM_K + 1) + i % DIM_K] =
          KV_ELEMENT(keys, (head_first + base + i / DIM_K) * kv_words(DIM_K), i % DIM_K, DIM_K);
    }
    barrier();
    for (uint i = lane(); i < rows * n; i += WG) {
      const uint r = i / n;
      const uint key = base + i % n;
      const Row row = step_row(first_row + first + r);
      const Keys visible = visible_keys(row, window, causal != 0);
      float score = -kInfinity;
      if (key >= visible.first && key < visible.last) {
        float product = 0.0;
        for (uint d = 0; d < DIM_K; ++d) product += query[r * DIM_K + d] * key_block[i % n * (DIM_K + 1) + d];
        score = finish_score(product, scale, softcap, slope, row.position, key);
      }
      weight[r * KEYS + i % n] = score;
    }
    barrier();
    for (uint r = lane(); r < rows; r += WG) update_row(r, n);
    barrier();
    for (uint e = 0; e < (DIM_V + WG - 1) / WG; ++e) {
      const uint d = e * WG + lane();
      if (d >= DIM_V) break;
      for (uint r = 0; r < rows; ++r) sum[r][e] *= shrink[r];
      for (uint i = 0; i < n; ++i) {
        const float v = KV_ELEMENT(values, (head_first + base + i) * kv_words(DIM_V), d, DIM_V);
        for (uint r = 0; r < rows; ++r) sum[r][e] += weight[r * KEYS + i] * v;
      }
    }
    barrier();
  }
  for (uint r = 0; r < rows; ++r) {
    for (uint e = 0; e < (DIM_V + WG - 1) / WG; ++e) {
      const uint d = e * WG + lane();
      if (d < DIM_V) y[y_at + (first_row + first + r) * y_stride + head * DIM_V + d] = sum[r][e] / total[r];
    }
  }
}
