// Puts the rows of keys and of values in their places in the cache [n_slots][n_head_kv][n_ctx][head_dim]; where positions are rotations
// (rope.comp), those of q in place, and of keys on their way. An invocation per pair of q and per word of the cache.
#version 450
#extension GL_GOOGLE_include_directive : require
#define STEP_BINDING 5
#include "common/base.glsl"
#include "common/math.glsl"
#include "common/kv.glsl"
#include "common/step.glsl"
#include "common/rotation.glsl"

layout(binding = 0) buffer Queries { float q[]; };
layout(binding = 1) readonly buffer Keys { float k[]; };
layout(binding = 2) readonly buffer Values { float v[]; };
layout(binding = 3) writeonly buffer KeyCache { uint key_cache[]; };
layout(binding = 4) writeonly buffer ValueCache { uint value_cache[]; };

layout(push_constant) uniform Push {
  uint n_rows, n_head, n_head_kv, dim_k, dim_v, n_ctx;
  uint q_at, q_stride;
  uint k_at, k_stride;
  uint v_at, v_stride;
  ROTATION_PUSH
};

void rotate_query(uint row, uint head, uint pair) {
  const uint a = q_at + row * q_stride + head * dim_k + pair * between;
  const vec2 rotated = rotate(vec2(q[a], q[a + distance]), row, pair);
  q[a] = rotated.x;
  q[a + distance] = rotated.y;
}

/// Element d of a key whose elements begin at `from`. Pairs are of two halves, or of neighbours.
float key_element(uint from, uint row, uint d) {
  if (d >= 2 * n_pairs) return k[from + d];
  const bool by_halves = between == 1;
  const uint pair = by_halves ? d % n_pairs : d / 2;
  const bool is_second = by_halves ? d >= n_pairs : (d & 1) != 0;
  const uint a = from + pair * between;
  const vec2 rotated = rotate(vec2(k[a], k[a + distance]), row, pair);
  return is_second ? rotated.y : rotated.x;
}

float element(bool is_key, uint from, uint row, uint d) { return is_key ? key_element(from, row, d) : v[from + d]; }

/// The largest magnitude of the 32 elements from `first` on is 127 scales; and the scale as it is stored.
uint scale_of(bool is_key, uint from, uint row, uint first) {
  float largest = 0.0;
  for (uint i = 0; i < 32; ++i) largest = max(largest, abs(element(is_key, from, row, first + i)));
  return packHalf2x16(vec2(largest / 127.0, 0.0));
}

/// Word `word` of a row of signed bytes and scales.
uint bytes_word(bool is_key, uint from, uint row, uint word, uint dim) {
  if (word >= dim / 4) {
    const uint first = 64 * (word - dim / 4);
    const uint low = scale_of(is_key, from, row, first);
    return first + 32 < dim ? low | scale_of(is_key, from, row, first + 32) << 16 : low;
  }
  const float scale = f16(scale_of(is_key, from, row, word / 8 * 32));
  uint four = 0;
  for (uint i = 0; i < 4; ++i) {
    const float steps = scale > 0.0 ? element(is_key, from, row, 4 * word + i) / scale : 0.0;
    four |= (uint(int(clamp(roundEven(steps), -127.0, 127.0))) & 0xFFu) << (8 * i);
  }
  return four;
}

uint stored_word(bool is_key, uint from, uint row, uint word, uint dim) {
  switch (KV_TYPE) {
    case kKvHalves:
      return packHalf2x16(vec2(element(is_key, from, row, 2 * word), element(is_key, from, row, 2 * word + 1)));
    case kKvBytes: return bytes_word(is_key, from, row, word, dim);
    default: return floatBitsToUint(element(is_key, from, row, word));
  }
}

void main() {
  const uint pairs = n_head * n_pairs;
  const uint words_k = kv_words(dim_k);
  const uint words_v = kv_words(dim_v);
  const uint per_row = pairs + n_head_kv * (words_k + words_v);
  const uint row = invocation() / per_row;
  if (row >= n_rows) return;
  uint i = invocation() % per_row;
  if (i < pairs) {
    rotate_query(row, i / n_pairs, i % n_pairs);
    return;
  }
  i -= pairs;
  const Row place = step_row(row);
  const uint first = place.slot * n_head_kv;
  if (i < n_head_kv * words_k) {
    const uint head = i / words_k;
    const uint to = ((first + head) * n_ctx + place.position) * words_k + i % words_k;
    key_cache[to] = stored_word(true, k_at + row * k_stride + head * dim_k, row, i % words_k, dim_k);
  } else {
    i -= n_head_kv * words_k;
    const uint head = i / words_v;
    const uint to = ((first + head) * n_ctx + place.position) * words_v + i % words_v;
    value_cache[to] = stored_word(false, v_at + row * v_stride + head * dim_v, row, i % words_v, dim_v);
  }
}
