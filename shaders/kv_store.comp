// Puts the rows of keys, or of values, in their places in the cache [n_slots][n_head_kv][n_ctx][head_dim]. An invocation
// per word.
#version 450
#extension GL_GOOGLE_include_directive : require
#define STEP_BINDING 2
#include "common/base.glsl"
#include "common/kv.glsl"
#include "common/step.glsl"

layout(binding = 0) readonly buffer In { float x[]; };
layout(binding = 1) writeonly buffer Cache { uint cache[]; };

layout(push_constant) uniform Push {
  uint n_rows, n_head_kv, head_dim, n_ctx;
  uint x_at, x_stride;
};

void main() {
  const uint words = kv_words(head_dim);
  const uint row = invocation() / (n_head_kv * words);
  if (row >= n_rows) return;
  const uint head = invocation() % (n_head_kv * words) / words;
  const uint word = invocation() % words;
  const Row place = step_row(row);
  const uint from = x_at + row * x_stride + head * head_dim;
  const uint to = ((place.slot * n_head_kv + head) * n_ctx + place.position) * words + word;
  if (KV_HALVES != 0) {
    cache[to] = packHalf2x16(vec2(x[from + 2 * word], x[from + 2 * word + 1]));
  } else {
    cache[to] = floatBitsToUint(x[from + word]);
  }
}
