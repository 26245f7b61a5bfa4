// Attention for many rows of one sequence: a workgroup has a head and ROWS rows, and goes through the keys in blocks of
// KEYS with a running maximum (arXiv 2205.14135). Of the scores an invocation has four rows and two keys at a time, of the sums four
// rows and four elements: what it reads of shared memory serves all of them.
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
layout(constant_id = 4) const uint ROWS = 8;   // a multiple of 4
layout(constant_id = 5) const uint KEYS = 16;  // an even number

const uint kFours = ROWS / 4;                          // of rows
const uint kPiecesK = (DIM_K + 7) / 8;                 // of eight elements
const uint kPiecesV = (DIM_V + 7) / 8;
const uint kPieces = kPiecesK > kPiecesV ? kPiecesK : kPiecesV;
const uint kSpan = (DIM_V + 3) / 4;                    // between the elements of an invocation
const uint kItems = (kFours * kSpan + WG - 1) / WG;    // of the sums: of an invocation
const uint kWidth = WG >= ROWS ? WG / ROWS : 1;        // lanes that find a row's highest score
const uint kTurns = (ROWS + WG - 1) / WG;              // rows of a lane, where lanes are fewer

layout(binding = 0) readonly buffer Queries { float q[]; };
layout(binding = 1) readonly buffer KeyCache { uint keys[]; };
layout(binding = 1) readonly buffer KeyVectors { uvec4 key_vectors[]; };
layout(binding = 2) readonly buffer ValueCache { uint values[]; };
layout(binding = 2) readonly buffer ValueVectors { uvec4 value_vectors[]; };
layout(binding = 3) writeonly buffer Out { float y[]; };

layout(push_constant) uniform Push {
  uint first_row, n_rows, n_head, n_head_kv, n_ctx;
  uint q_at, q_stride;
  uint y_at, y_stride;
  uint window, causal;
  float scale, softcap, max_alibi_bias;
};

shared vec4 query[DIM_K * kFours];      // [element][row]
shared float block[KEYS * kPieces * 8];  // keys: [element][key]; then values: [key][element]
shared vec4 weight[KEYS * kFours];      // [key][row]
shared Keys sees[ROWS];
shared uint position[ROWS];
shared float of_lane[WG];
shared vec4 shrink[kFours];
shared vec4 total[kFours];
shared float highest[ROWS];

void read_queries(uint row, uint rows, uint head) {
  for (uint i = lane(); i < DIM_K * ROWS; i += WG) {
    const uint r = i / DIM_K;
    const uint d = i % DIM_K;
    query[d * kFours + r / 4][r % 4] = r < rows ? q[q_at + (row + r) * q_stride + head * DIM_K + d] : 0.0;
  }
  for (uint r = lane(); r < ROWS; r += WG) {
    const Row place = step_row(row + min(r, rows - 1));
    sees[r] = visible_keys(place, window, causal != 0);
    position[r] = place.position;
    highest[r] = -kInfinity;
    total[r / 4][r % 4] = 0.0;
  }
}

/// n keys from `at` on, as columns; those past them as zeros.
void read_keys(uint at, uint n) {
  for (uint i = lane(); i < KEYS * kPiecesK; i += WG) {
    const uint key = i % KEYS;
    const uint piece = i / KEYS;
    vec4 a = vec4(0.0), b = vec4(0.0);
    if (key < n) KV_EIGHT(keys, key_vectors, (at + key) * kv_words(DIM_K), piece, DIM_K, a, b);
    [[unroll]] for (uint e = 0; e < 4; ++e) {
      block[(8 * piece + e) * KEYS + key] = a[e];
      block[(8 * piece + 4 + e) * KEYS + key] = b[e];
    }
  }
}

void read_values(uint at, uint n) {
  for (uint i = lane(); i < n * kPiecesV; i += WG) {
    const uint key = i / kPiecesV;
    const uint piece = i % kPiecesV;
    vec4 a, b;
    KV_EIGHT(values, value_vectors, (at + key) * kv_words(DIM_V), piece, DIM_V, a, b);
    [[unroll]] for (uint e = 0; e < 4; ++e) {
      block[key * kPiecesV * 8 + 8 * piece + e] = a[e];
      block[key * kPiecesV * 8 + 8 * piece + 4 + e] = b[e];
    }
  }
}

void score(uint base, float slope) {
  for (uint i = lane(); i < kFours * KEYS / 2; i += WG) {
    const uint four = i % kFours;
    const uint pair = i / kFours * 2;
    vec4 a = vec4(0.0), b = vec4(0.0);
    for (uint d = 0; d < DIM_K; ++d) {
      const vec4 v = query[d * kFours + four];
      a += v * block[d * KEYS + pair];
      b += v * block[d * KEYS + pair + 1];
    }
    [[unroll]] for (uint e = 0; e < 4; ++e) {
      const uint r = 4 * four + e;
      const uint key = base + pair;
      const float first = finish_score(a[e], scale, softcap, slope, position[r], key);
      const float second = finish_score(b[e], scale, softcap, slope, position[r], key + 1);
      a[e] = key >= sees[r].first && key < sees[r].last ? first : -kInfinity;
      b[e] = key + 1 >= sees[r].first && key + 1 < sees[r].last ? second : -kInfinity;
    }
    weight[pair * kFours + four] = a;
    weight[(pair + 1) * kFours + four] = b;
  }
}

/// The scores of n keys become weights relative to the highest so far; kWidth lanes have a row. All lanes call it.
void weigh(uint n) {
  [[unroll]] for (uint turn = 0; turn < kTurns; ++turn) {
    const uint r = kTurns > 1 ? turn * WG + lane() : lane() / kWidth;
    const uint part = kTurns > 1 ? 0 : lane() % kWidth;
    float own = -kInfinity;
    if (r < ROWS) {
      for (uint i = part; i < n; i += kWidth) own = max(own, weight[i * kFours + r / 4][r % 4]);
    }
    of_lane[lane()] = own;
    barrier();
    const float before = r < ROWS ? highest[r] : -kInfinity;
    float now = before;
    if (r < ROWS) {
      for (uint i = 0; i < kWidth; ++i) now = max(now, of_lane[lane() - part + i]);
    }
    const bool is_blind = now == -kInfinity;  // it sees none of these keys, nor any before
    own = 0.0;
    if (r < ROWS) {
      for (uint i = part; i < n; i += kWidth) {
        const float w = is_blind ? 0.0 : exp(weight[i * kFours + r / 4][r % 4] - now);
        weight[i * kFours + r / 4][r % 4] = w;
        own += w;
      }
    }
    barrier();
    of_lane[lane()] = own;
    barrier();
    if (r < ROWS && part == 0) {
      float sum = 0.0;
      for (uint i = 0; i < kWidth; ++i) sum += of_lane[lane() + i];
      const float factor = is_blind ? 1.0 : exp(before - now);
      shrink[r / 4][r % 4] = factor;
      total[r / 4][r % 4] = total[r / 4][r % 4] * factor + sum;
      highest[r] = now;
    }
    barrier();
  }
}

void main() {
  const uint head = gl_WorkGroupID.x;
  const uint first = gl_WorkGroupID.y * ROWS;  // of the run
  const uint rows = min(ROWS, n_rows - first);
  read_queries(first_row + first, rows, head);
  const Row place = step_row(first_row + first);
  const uint head_first = (place.slot * n_head_kv + head / (n_head / n_head_kv)) * n_ctx;
  const uint begin = visible_keys(place, window, causal != 0).first;
  const uint end = visible_keys(step_row(first_row + first + rows - 1), window, causal != 0).last;
  const float slope = alibi_slope(head, n_head, max_alibi_bias);
  vec4 sum[kItems][4];  // of four rows, for each element
  [[unroll]] for (uint e = 0; e < kItems; ++e) {
    [[unroll]] for (uint j = 0; j < 4; ++j) sum[e][j] = vec4(0.0);
  }
  for (uint base = begin; base < end; base += KEYS) {
    const uint n = min(KEYS, end - base);
    barrier();
    read_keys(head_first + base, n);
    barrier();
    score(base, slope);
    barrier();
    weigh(n);
    read_values(head_first + base, n);
    barrier();
    [[unroll]] for (uint e = 0; e < kItems; ++e) {
      const uint item = e * WG + lane();
      const uint four = item / kSpan;
      const uint d = item % kSpan;
      if (four >= kFours) break;
      [[unroll]] for (uint j = 0; j < 4; ++j) sum[e][j] *= shrink[four];
      for (uint i = 0; i < n; ++i) {
        const vec4 w = weight[i * kFours + four];
        [[unroll]] for (uint j = 0; j < 4; ++j) {
          sum[e][j] += w * block[i * kPiecesV * 8 + min(d + j * kSpan, kPiecesV * 8 - 1)];
        }
      }
    }
  }
  [[unroll]] for (uint e = 0; e < kItems; ++e) {
    const uint item = e * WG + lane();
    const uint four = item / kSpan;
    if (four >= kFours) break;
    [[unroll]] for (uint j = 0; j < 4; ++j) {
      const uint d = item % kSpan + j * kSpan;
      [[unroll]] for (uint r = 0; r < 4; ++r) {
        if (d >= DIM_V || 4 * four + r >= rows) continue;
        y[y_at + (first_row + first + 4 * four + r) * y_stride + head * DIM_V + d] = sum[e][j][r] / total[four][r];
      }
    }
  }
}
