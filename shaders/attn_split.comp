// Attention for few rows: the keys of a row are cut into chunks (common/chunks.glsl), and a workgroup has a chunk, and HEADS heads or
// fewer that share its keys and values: each of these is read once for all of them. It leaves of each head the weighted sum of the
// values, and further on the highest score and the sum of the weights; attn_merge puts the chunks together.
#version 450
#extension GL_GOOGLE_include_directive : require
#define STEP_BINDING 4
#include "common/base.glsl"
#include "common/math.glsl"
#include "common/kv.glsl"
#include "common/step.glsl"
#include "common/visible.glsl"
#include "common/chunks.glsl"

layout(constant_id = 2) const uint DIM_K = 64;
layout(constant_id = 3) const uint DIM_V = 64;
layout(constant_id = 4) const uint HEADS = 1;  // at most kMostHeads
const uint kMostHeads = 8;
const uint kPiecesK = (DIM_K + 7) / 8;  // pieces of eight elements
const uint kPiecesV = (DIM_V + 7) / 8;
const uint kParts = WG >= kPiecesV ? WG / kPiecesV : 1;  // of the keys of a block, whose values lanes add up
const uint kPerLane = (kPiecesV + WG - 1) / WG;          // pieces
const uint kWidth = WG / kMostHeads;                     // lanes that find a head's highest score

layout(binding = 0) readonly buffer Queries { float q[]; };
layout(binding = 1) readonly buffer KeyCache { uint keys[]; };
layout(binding = 1) readonly buffer KeyVectors { uvec4 key_vectors[]; };
layout(binding = 2) readonly buffer ValueCache { uint values[]; };
layout(binding = 2) readonly buffer ValueVectors { uvec4 value_vectors[]; };
layout(binding = 3) writeonly buffer Partial { float partial[]; };  // [row][head][chunk][DIM_V], then [row][head][chunk][2]

layout(push_constant) uniform Push {
  uint first_row, n_rows, n_head, n_head_kv, n_ctx;
  uint q_at, q_stride;
  uint n_chunks;
  uint window, causal;
  float scale, softcap, max_alibi_bias;
};

const uint kPieces = kPiecesK > kPiecesV ? kPiecesK : kPiecesV;
shared vec4 query[HEADS * kPieces * 2];  // and in the end the sums of the values
shared float weight[HEADS * WG];
shared float of_lane[WG];
shared float highest[kMostHeads];
shared float shrink[kMostHeads];
shared float total[kMostHeads];

/// The scores of a key become weights relative to the highest so far: a head is a few lanes' job. `n` keys; all lanes call it.
void weigh(uint n) {
  const uint h = lane() / kWidth;
  float own = -kInfinity;
  if (h < HEADS) {
    for (uint i = lane() % kWidth; i < n; i += kWidth) own = max(own, weight[h * WG + i]);
  }
  of_lane[lane()] = own;
  barrier();
  const float before = highest[h];
  float now = before;
  for (uint i = 0; i < kWidth; ++i) now = max(now, of_lane[h * kWidth + i]);
  own = 0.0;
  if (h < HEADS) {
    for (uint i = lane() % kWidth; i < n; i += kWidth) {
      const float w = exp(weight[h * WG + i] - now);
      weight[h * WG + i] = w;
      own += w;
    }
  }
  barrier();
  of_lane[lane()] = own;
  barrier();
  if (lane() % kWidth == 0) {
    float sum = 0.0;
    for (uint i = 0; i < kWidth; ++i) sum += of_lane[lane() + i];
    shrink[h] = exp(before - now);
    total[h] = total[h] * shrink[h] + sum;
    highest[h] = now;
  }
  barrier();
}

void read_queries(uint row, uint first_head, uint n_heads) {
  for (uint i = lane(); i < HEADS * kPiecesK * 2; i += WG) {
    const uint h = i / (kPiecesK * 2);
    const uint d = i % (kPiecesK * 2) * 4;
    vec4 v = vec4(0.0);
    [[unroll]] for (uint e = 0; e < 4; ++e) {
      if (h < n_heads && d + e < DIM_K) v[e] = q[q_at + row * q_stride + (first_head + h) * DIM_K + d + e];
    }
    query[i] = v;
  }
  if (lane() % kWidth == 0) {
    highest[lane() / kWidth] = -kInfinity;
    total[lane() / kWidth] = 0.0;
  }
  barrier();
}

void main() {
  const Row row = step_row(first_row + gl_WorkGroupID.z);
  const Keys visible = visible_keys(row, window, causal != 0);
  const uint size = chunk_size(visible, n_chunks);
  const uint first = visible.first + gl_WorkGroupID.y * size;
  const uint last = min(visible.last, first + size);
  if (first >= last) return;  // the whole workgroup; attn_merge knows

  const uint per_kv = n_head / n_head_kv;
  const uint groups_per_kv = (per_kv + HEADS - 1) / HEADS;
  const uint head_kv = gl_WorkGroupID.x / groups_per_kv;
  const uint within = gl_WorkGroupID.x % groups_per_kv * HEADS;
  const uint first_head = head_kv * per_kv + within;
  const uint n_heads = min(HEADS, per_kv - within);
  read_queries(first_row + gl_WorkGroupID.z, first_head, n_heads);

  const uint rows_at = (row.slot * n_head_kv + head_kv) * n_ctx;
  const uint part = lane() / kPiecesV;  // where lanes are fewer than pieces, each has all keys
  vec4 sum[kPerLane][HEADS][2];
  [[unroll]] for (uint e = 0; e < kPerLane; ++e) {
    [[unroll]] for (uint h = 0; h < HEADS; ++h) sum[e][h][0] = sum[e][h][1] = vec4(0.0);
  }
  for (uint base = first; base < last; base += WG) {
    const uint n = min(WG, last - base);
    if (lane() < n) {
      const uint key = base + lane();
      float product[HEADS];
      [[unroll]] for (uint h = 0; h < HEADS; ++h) product[h] = 0.0;
      for (uint piece = 0; piece < kPiecesK; ++piece) {
        vec4 a, b;
        KV_EIGHT(keys, key_vectors, (rows_at + key) * kv_words(DIM_K), piece, DIM_K, a, b);
        [[unroll]] for (uint h = 0; h < HEADS; ++h) {
          const uint at = (h * kPiecesK + piece) * 2;
          product[h] += dot(query[at], a) + dot(query[at + 1], b);
        }
      }
      [[unroll]] for (uint h = 0; h < HEADS; ++h) {
        const float slope = alibi_slope(first_head + h, n_head, max_alibi_bias);
        weight[h * WG + lane()] = finish_score(product[h], scale, softcap, slope, row.position, key);
      }
    }
    barrier();
    weigh(n);
    [[unroll]] for (uint e = 0; e < kPerLane; ++e) {
      const uint piece = kParts > 1 ? lane() % kPiecesV : e * WG + lane();
      if (piece >= kPiecesV || (kParts > 1 && part >= kParts)) break;
      [[unroll]] for (uint h = 0; h < HEADS; ++h) {
        sum[e][h][0] *= shrink[h];
        sum[e][h][1] *= shrink[h];
      }
      for (uint i = kParts > 1 ? part : 0; i < n; i += kParts) {
        vec4 a, b;
        KV_EIGHT(values, value_vectors, (rows_at + base + i) * kv_words(DIM_V), piece, DIM_V, a, b);
        [[unroll]] for (uint h = 0; h < HEADS; ++h) {
          const float w = weight[h * WG + i];
          sum[e][h][0] += w * a;
          sum[e][h][1] += w * b;
        }
      }
    }
    barrier();
  }
  // The parts add up in shared memory, one after the other.
  for (uint p = 0; p < kParts; ++p) {
    [[unroll]] for (uint e = 0; e < kPerLane; ++e) {
      const uint piece = kParts > 1 ? lane() % kPiecesV : e * WG + lane();
      if (piece >= kPiecesV || (kParts > 1 && part != p)) break;
      [[unroll]] for (uint h = 0; h < HEADS; ++h) {
        [[unroll]] for (uint j = 0; j < 2; ++j) {
          const uint at = (h * kPiecesV + piece) * 2 + j;
          query[at] = p == 0 ? sum[e][h][j] : query[at] + sum[e][h][j];
        }
      }
    }
    barrier();
  }
  const uint row_head = gl_WorkGroupID.z * n_head + first_head;
  for (uint i = lane(); i < n_heads * DIM_V; i += WG) {
    const uint h = i / DIM_V;
    const uint d = i % DIM_V;
    partial[((row_head + h) * n_chunks + gl_WorkGroupID.y) * DIM_V + d] = query[h * kPiecesV * 2 + d / 4][d & 3];
  }
  const uint stats_at = n_rows * n_head * n_chunks * DIM_V;
  for (uint h = lane(); h < n_heads; h += WG) {
    const uint at = stats_at + 2 * ((row_head + h) * n_chunks + gl_WorkGroupID.y);
    partial[at] = highest[h];
    partial[at + 1] = total[h];
  }
}
