// Rotary position embedding in place: an invocation per pair of a head of a row.
#version 450
#extension GL_GOOGLE_include_directive : require
#define STEP_BINDING 1
#include "common/base.glsl"
#include "common/math.glsl"
#include "common/step.glsl"
#include "common/rotation.glsl"

layout(binding = 0) buffer InOut { float x[]; };

layout(push_constant) uniform Push {
  uint n_rows, n_head, head_dim;
  uint x_at, x_stride;
  ROTATION_PUSH
};

void main() {
  const uint per_row = n_head * n_pairs;
  const uint row = invocation() / per_row;
  if (row >= n_rows) return;
  const uint head = invocation() % per_row / n_pairs;
  const uint pair = invocation() % n_pairs;
  const uint a = x_at + row * x_stride + head * head_dim + pair * between;
  const vec2 rotated = rotate(vec2(x[a], x[a + distance]), row, pair);
  x[a] = rotated.x;
  x[a + distance] = rotated.y;
}
