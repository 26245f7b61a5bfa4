// Rows of x as bytes, as common/bytes.glsl says. Four elements per invocation.
#version 450
#extension GL_GOOGLE_include_directive : require
#define BYTES_BINDING 1
#include "common/base.glsl"
#include "common/bytes.glsl"

layout(binding = 0) readonly buffer In { float x[]; };

layout(push_constant) uniform Push {
  uint n_rows, columns;
  uint x_at, x_stride;
};

void main() {
  const uint units = (columns + 31) / 32;
  const uint row = invocation() / (8 * units);
  const uint quad = invocation() % (8 * units);
  const bool is_there = row < n_rows;
  vec4 v = vec4(0.0);
  const uint first = x_at + row * x_stride + 4 * quad;
  if (is_there && 4 * quad + 4 <= columns) {
    v = vec4(x[first], x[first + 1], x[first + 2], x[first + 3]);
  } else if (is_there) {
    [[unroll]] for (uint i = 0; i < 3; ++i) {
      if (4 * quad + i < columns) v[i] = x[first + i];
    }
  }
  store_bytes(v, is_there, row * units + quad / 8, n_rows * units);
}
