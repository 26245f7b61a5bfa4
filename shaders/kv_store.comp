// Puts the rows of keys, or of values, in their places in the cache [n_slots][n_head_kv][n_ctx][head_dim]. An invocation
// per word.
#version 450
#extension GL_GOOGLE_include_directive : require
#define STEP_BINDING 2
#include "common/base.glsl"
#include "common/math.glsl"
#include "common/kv.glsl"
#include "common/step.glsl"

layout(binding = 0) readonly buffer In { float x[]; };
layout(binding = 1) writeonly buffer Cache { uint cache[]; };

layout(push_constant) uniform Push {
  uint n_rows, n_head_kv, head_dim, n_ctx;
  uint x_at, x_stride;
};

/// The largest magnitude of the 32 elements from `from` on is 127 scales; and the scale as it is stored.
uint scale_of(uint from) {
  float largest = 0.0;
  [[unroll]] for (uint i = 0; i < 32; ++i) largest = max(largest, abs(x[from + i]));
  return packHalf2x16(vec2(largest / 127.0, 0.0));
}

/// Word `word` of a row of signed bytes and scales.
uint bytes_word(uint from, uint word) {
  if (word >= head_dim / 4) {
    const uint first = 64 * (word - head_dim / 4);
    const uint low = scale_of(from + first);
    return first + 32 < head_dim ? low | scale_of(from + first + 32) << 16 : low;
  }
  const float scale = f16(scale_of(from + word / 8 * 32));
  uint four = 0;
  for (uint i = 0; i < 4; ++i) {
    const float steps = scale > 0.0 ? x[from + 4 * word + i] / scale : 0.0;
    four |= (uint(int(clamp(roundEven(steps), -127.0, 127.0))) & 0xFFu) << (8 * i);
  }
  return four;
}

void main() {
  const uint words = kv_words(head_dim);
  const uint row = invocation() / (n_head_kv * words);
  if (row >= n_rows) return;
  const uint head = invocation() % (n_head_kv * words) / words;
  const uint word = invocation() % words;
  const Row place = step_row(row);
  const uint from = x_at + row * x_stride + head * head_dim;
  const uint to = ((place.slot * n_head_kv + head) * n_ctx + place.position) * words + word;
  switch (KV_TYPE) {
    case kKvHalves: cache[to] = packHalf2x16(vec2(x[from + 2 * word], x[from + 2 * word + 1])); break;
    case kKvBytes: cache[to] = bytes_word(from, word); break;
    default: cache[to] = floatBitsToUint(x[from + word]);
  }
}
