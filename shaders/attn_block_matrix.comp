// attn_block.comp on cooperative matrices: queries, keys, values and weights in half precision, products and sums in floats.
//
// Each subgroup has M rows of queries and all of their sums, as fragments, from the first block of keys to the last; what is in
// shared memory are the keys and values of a block, which all subgroups share, and the scores of each subgroup, where lanes can find
// them. How much the sums of a row must shrink when its highest score moves, which no lane can tell them where they are, is a
// fragment, too, whose columns are all the same: sums are never changed under a condition, where software devices lose them.
#version 450
#pragma use_vulkan_memory_model
#extension GL_GOOGLE_include_directive : require
#define STEP_BINDING 4
#include "common/base.glsl"
#include "common/fragments.glsl"
#include "common/halves.glsl"
#include "common/math.glsl"
#include "common/kv.glsl"
#include "common/step.glsl"
#include "common/visible.glsl"

layout(constant_id = 6) const uint DIM_K = 64;  // multiples of 16
layout(constant_id = 7) const uint DIM_V = 64;
layout(constant_id = 8) const uint SUBGROUPS = 4;
layout(constant_id = 9) const uint KEYS = 32;

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

const uint ROWS = SUBGROUPS * M;
const uint PARTS = KEYS / 8;  // of a row's scores: what a lane takes at once
const uint LANES = WG / SUBGROUPS;
const uint TASKS = (M * PARTS + LANES - 1) / LANES;  // of a lane
// Vectors of a row in shared memory, and one: an odd number, so that rows begin in different banks.
const uint PITCH_K = DIM_K / 8 + 1;
const uint PITCH_V = DIM_V / 8 + 1;
const uint PITCH_S = KEYS / 4 + 1;
shared uvec4 key_tile[KEYS * PITCH_K];
shared uvec4 value_tile[KEYS * PITCH_V];
shared uvec4 scratch[ROWS * PITCH_S];  // scores, then weights; on the way in queries, on the way out sums
shared float part_of_row[ROWS * PARTS];
shared float of_row[ROWS];

/// Elements 8 v … 8 v + 7 of a stored row of `dim` elements, which begins at word `at`.
#define KV_READER(name, words, vectors)                                                                             \
  uvec4 name(uint at, uint v, uint dim) {                                                                           \
    if (KV_TYPE == kKvHalves) return vectors[at / 4 + v];                                                           \
    if (KV_TYPE == kKvBytes) {                                                                                      \
      const ivec2 eight = ivec2(words[at + 2 * v], words[at + 2 * v + 1]);                                          \
      const float d = f16(words[at + dim / 4 + v / 8] >> (v / 4 % 2 * 16));                                         \
      const ivec4 a = ivec4(eight.x << 24, eight.x << 16, eight.x << 8, eight.x) >> 24;                             \
      const ivec4 b = ivec4(eight.y << 24, eight.y << 16, eight.y << 8, eight.y) >> 24;                             \
      return eight_halves(d * vec4(a), d * vec4(b));                                                                \
    }                                                                                                               \
    return eight_halves(uintBitsToFloat(vectors[at / 4 + 2 * v]), uintBitsToFloat(vectors[at / 4 + 2 * v + 1]));    \
  }
KV_READER(eight_of_keys, keys, key_vectors)
KV_READER(eight_of_values, values, value_vectors)

/// Zeros for keys that are past the last: no weight meets what is not a number.
void fill_tiles(uint head_first, uint base, uint end) {
  [[unroll]] for (uint i = lane(); i < KEYS * (DIM_K / 8); i += WG) {
    const uint key = i / (DIM_K / 8);
    const uint v = i % (DIM_K / 8);
    const uint at = (head_first + min(base + key, end - 1)) * kv_words(DIM_K);
    key_tile[key * PITCH_K + v] = base + key < end ? eight_of_keys(at, v, DIM_K) : uvec4(0);
  }
  [[unroll]] for (uint i = lane(); i < KEYS * (DIM_V / 8); i += WG) {
    const uint key = i / (DIM_V / 8);
    const uint v = i % (DIM_V / 8);
    const uint at = (head_first + min(base + key, end - 1)) * kv_words(DIM_V);
    value_tile[key * PITCH_V + v] = base + key < end ? eight_of_values(at, v, DIM_V) : uvec4(0);
  }
}

// What a lane knows. A task is eight keys of a block for one row: its lane has the row's state, as those with the row's other parts.
Keys visible[TASKS];
uint position[TASKS];
float reference[TASKS];
float total[TASKS];  // of its keys
float score[8 * TASKS];

uint task(uint i) { return i * LANES + gl_SubgroupInvocationID; }
bool is_task(uint i) { return task(i) < M * PARTS; }
uint own_row() { return gl_SubgroupID * M; }
uint own_scratch() { return own_row() * PITCH_S; }

/// Eight columns of queries for each row of the subgroup.
void stage_queries(uint head, uint first, uint rows, uint column) {
  for (uint i = gl_SubgroupInvocationID; i < M * (K / 8); i += gl_SubgroupSize) {
    const uint r = min(own_row() + i / (K / 8), rows - 1);
    const uint at = q_at + (first_row + first + r) * q_stride + head * DIM_K + column + i % (K / 8) * 8;
    scratch[own_scratch() + i / (K / 8) * PITCH_S + i % (K / 8)] =
        eight_halves(vec4(q[at], q[at + 1], q[at + 2], q[at + 3]), vec4(q[at + 4], q[at + 5], q[at + 6], q[at + 7]));
  }
}

void begin_rows(uint first, uint rows) {
  [[unroll]] for (uint i = 0; i < TASKS; ++i) {
    const uint r = own_row() + task(i) / PARTS;
    const Row row = step_row(first_row + first + min(r, rows - 1));
    visible[i] = visible_keys(row, window, causal != 0);
    if (r >= rows) visible[i] = Keys(0, 0);
    position[i] = row.position;
    reference[i] = -kInfinity;
    total[i] = 0.0;
  }
}

/// Products become scores, of which the highest of each task is told to the others.
void take_scores(uint base, float slope) {
  [[unroll]] for (uint i = 0; i < TASKS; ++i) {
    const uint at = own_scratch() + min(task(i) / PARTS, M - 1) * PITCH_S + task(i) % PARTS * 2;
    float highest = -kInfinity;
    [[unroll]] for (uint j = 0; j < 8; ++j) {
      const uint key = base + task(i) % PARTS * 8 + j;
      const float product = uintBitsToFloat(scratch[at + j / 4][j & 3]);
      const bool is_seen = key >= visible[i].first && key < visible[i].last;
      score[8 * i + j] = is_seen ? finish_score(product, scale, softcap, slope, position[i], key) : -kInfinity;
      highest = max(highest, score[8 * i + j]);
    }
    if (is_task(i)) part_of_row[own_row() * PARTS + task(i)] = highest;
  }
}

/// Weights are relative to the highest score so far: what there was shrinks by a factor, in of_row.
void move_references() {
  [[unroll]] for (uint i = 0; i < TASKS; ++i) {
    const uint r = own_row() + min(task(i) / PARTS, M - 1);
    float highest = reference[i];
    [[unroll]] for (uint j = 0; j < PARTS; ++j) highest = max(highest, part_of_row[r * PARTS + j]);
    const float factor = highest == reference[i] ? 1.0 : exp(reference[i] - highest);
    reference[i] = highest;
    total[i] *= factor;
    if (is_task(i) && task(i) % PARTS == 0) of_row[r] = factor;
  }
}

void put_weights() {
  [[unroll]] for (uint i = 0; i < TASKS; ++i) {
    vec4 w[2];
    [[unroll]] for (uint j = 0; j < 8; ++j) {
      const float s = score[8 * i + j];
      w[j / 4][j & 3] = s == -kInfinity ? 0.0 : exp(s - reference[i]);
    }
    const vec4 both = w[0] + w[1];
    total[i] += (both.x + both.y) + (both.z + both.w);
    if (is_task(i)) {
      scratch[own_scratch() + task(i) / PARTS * PITCH_S + task(i) % PARTS] = eight_small_halves(w[0], w[1]);
    }
  }
}

/// The whole of a row's weights, in of_row.
void add_up_rows() {
  [[unroll]] for (uint i = 0; i < TASKS; ++i) {
    if (is_task(i)) part_of_row[own_row() * PARTS + task(i)] = total[i];
  }
  subgroupBarrier();
  for (uint r = own_row() + gl_SubgroupInvocationID; r < own_row() + M; r += gl_SubgroupSize) {
    float all = 0.0;
    [[unroll]] for (uint j = 0; j < PARTS; ++j) all += part_of_row[r * PARTS + j];
    of_row[r] = all;
  }
}

void main() {
  const uint head = gl_WorkGroupID.x;
  const uint first = (gl_NumWorkGroups.y - 1 - gl_WorkGroupID.y) * ROWS;  // of the run; the ones with most keys go first
  const uint rows = min(ROWS, n_rows - first);
  const uint own = own_scratch();
  LEFT_FRAGMENT query[DIM_K / K];
  [[unroll]] for (uint f = 0; f < DIM_K / K; ++f) {
    stage_queries(head, first, rows, f * K);
    subgroupBarrier();
    coopMatLoadNV(query[f], scratch, own, PITCH_S, BY_ROWS);
    subgroupBarrier();
  }
  begin_rows(first, rows);
  SUM_FRAGMENT sum[DIM_V / N];
  [[unroll]] for (uint d = 0; d < DIM_V / N; ++d) sum[d] = SUM_FRAGMENT(0.0);

  const Row place = step_row(first_row + first);
  const uint head_first = (place.slot * n_head_kv + head / (n_head / n_head_kv)) * n_ctx;
  const uint begin = visible_keys(place, window, causal != 0).first;
  const uint end = visible_keys(step_row(first_row + first + rows - 1), window, causal != 0).last;
  const float slope = alibi_slope(head, n_head, max_alibi_bias);
  for (uint base = begin; base < end; base += KEYS) {
    barrier();
    fill_tiles(head_first, base, end);
    barrier();
    for (uint j = 0; j < KEYS / N; ++j) {
      SUM_FRAGMENT product = SUM_FRAGMENT(0.0);
      [[unroll]] for (uint f = 0; f < DIM_K / K; ++f) {
        RIGHT_FRAGMENT k;
        coopMatLoadNV(k, key_tile, N * j * PITCH_K + f * (K / 8), PITCH_K, BY_COLUMNS);
        product = coopMatMulAddNV(query[f], k, product);
      }
      coopMatStoreNV(product, scratch, own + j * (N / 4), PITCH_S, BY_ROWS);
    }
    subgroupBarrier();
    take_scores(base, slope);
    subgroupBarrier();
    move_references();
    put_weights();
    subgroupBarrier();
    SUM_FRAGMENT factors;
    coopMatLoadNV(factors, of_row, own_row(), 0, BY_COLUMNS);  // every column is that of the rows' factors
    [[unroll]] for (uint d = 0; d < DIM_V / N; ++d) sum[d] = each_times(sum[d], factors);
    for (uint f = 0; f < KEYS / K; ++f) {
      LEFT_FRAGMENT weight;
      coopMatLoadNV(weight, scratch, own + f * (K / 8), PITCH_S, BY_ROWS);
      [[unroll]] for (uint d = 0; d < DIM_V / N; ++d) {
        RIGHT_FRAGMENT v;
        coopMatLoadNV(v, value_tile, K * f * PITCH_V + d * (N / 8), PITCH_V, BY_ROWS);
        sum[d] = coopMatMulAddNV(weight, v, sum[d]);
      }
    }
  }
  add_up_rows();
  [[unroll]] for (uint d = 0; d < DIM_V / N; ++d) {
    subgroupBarrier();
    coopMatStoreNV(sum[d], scratch, own, N / 4, BY_ROWS);
    subgroupBarrier();
    for (uint e = gl_SubgroupInvocationID; e < M * N; e += gl_SubgroupSize) {
      const uint r = own_row() + e / N;
      const uint at = y_at + (first_row + first + r) * y_stride + head * DIM_V + N * d + e % N;
      if (r < rows) y[at] = uintBitsToFloat(scratch[own + e / 4][e & 3]) / of_row[r];
    }
  }
}
