// Rotary position embedding in place: an invocation per pair of a head of a row. A frequency is a part of a turn per
// position as 64 bits after the point, so that the product with any position is exact to 2^-32 of a turn.
#version 450
#extension GL_GOOGLE_include_directive : require
#define STEP_BINDING 1
#include "common/base.glsl"
#include "common/math.glsl"
#include "common/step.glsl"

layout(binding = 0) buffer InOut { float x[]; };

layout(push_constant) uniform Push {
  uint n_rows, n_head, head_dim, n_pairs;
  uint x_at, x_stride;
  uint table_at;          // frequencies in the step's words: high and low word of each
  uint between, distance;  // from a pair to the next, from its first to its second
  float magnitude;
};

void main() {
  const uint per_row = n_head * n_pairs;
  const uint row = invocation() / per_row;
  if (row >= n_rows) return;
  const uint head = invocation() % per_row / n_pairs;
  const uint pair = invocation() % n_pairs;
  const uint position = step_row(row).position;
  uint carried, unused;
  umulExtended(position, step_words[table_at + 2 * pair + 1], carried, unused);
  const vec2 t = magnitude * turn(position * step_words[table_at + 2 * pair] + carried);
  const uint a = x_at + row * x_stride + head * head_dim + pair * between;
  const float a0 = x[a];
  const float b0 = x[a + distance];
  x[a] = a0 * t.x - b0 * t.y;
  x[a + distance] = a0 * t.y + b0 * t.x;
}
