// Many columns of x: out [n][rows] = x [n][columns] times the transpose of a matrix, in tiles of TILE x TILE. Each invocation has
// MICRO x MICRO elements of a tile; a unit of 32 columns at a time lies in shared memory.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common/base.glsl"
#include "common/weights.glsl"

layout(constant_id = 2) const uint TILE = 32;
layout(constant_id = 3) const uint MICRO = 4;  // WG is (TILE / MICRO) squared

layout(binding = 1) readonly buffer In { float x[]; };
layout(binding = 2) writeonly buffer Out { float y[]; };

layout(push_constant) uniform Push {
  PRODUCT_PUSH
};

const uint kPitch = 33;  // so that rows begin in different banks
shared float w_tile[TILE * kPitch];
shared float x_tile[TILE * kPitch];

void fill_tiles(uint unit, uint first_w, uint first_x) {
  for (uint r = lane(); r < TILE; r += WG) {
    vec4 w[8];
    if (first_w + r < end_row - first_row) {
      read_unit(planes_of(plane_at, plane_stride, first_w + r), unit, w);
    } else {
      for (uint j = 0; j < 8; ++j) w[j] = vec4(0.0);
    }
    [[unroll]] for (uint j = 0; j < 32; ++j) w_tile[r * kPitch + j] = w[j / 4][j & 3];
  }
  for (uint i = lane(); i < TILE * 32; i += WG) {
    const uint t = first_x + i / 32;
    const uint c = 32 * unit + i % 32;
    x_tile[i / 32 * kPitch + i % 32] = t < n && c < columns ? x[x_at + t * x_stride + c] : 0.0;
  }
}

void main() {
  const uint tiles_w = (end_row - first_row + TILE - 1) / TILE;
  const uint first_w = group() % tiles_w * TILE;
  const uint first_x = group() / tiles_w * TILE;
  if (first_x >= n) return;  // the whole workgroup
  const uint lanes_w = TILE / MICRO;
  const uint w_at = lane() % lanes_w;  // its rows: w_at, w_at + lanes_w …
  const uint t_at = lane() / lanes_w;
  float sum[MICRO][MICRO];
  [[unroll]] for (uint i = 0; i < MICRO; ++i) {
    [[unroll]] for (uint j = 0; j < MICRO; ++j) sum[i][j] = 0.0;
  }
  const uint units = (columns + 31) / 32;
  for (uint unit = 0; unit < units; ++unit) {
    fill_tiles(unit, first_w, first_x);
    barrier();
    for (uint k = 0; k < 32; ++k) {
      float a[MICRO];
      [[unroll]] for (uint i = 0; i < MICRO; ++i) a[i] = w_tile[(w_at + i * lanes_w) * kPitch + k];
      [[unroll]] for (uint j = 0; j < MICRO; ++j) {
        const float b = x_tile[(t_at + j * lanes_w) * kPitch + k];
        [[unroll]] for (uint i = 0; i < MICRO; ++i) sum[i][j] += a[i] * b;
      }
    }
    barrier();
  }
  [[unroll]] for (uint j = 0; j < MICRO; ++j) {
    const uint t = first_x + t_at + j * lanes_w;
    [[unroll]] for (uint i = 0; i < MICRO; ++i) {
      const uint r = first_w + w_at + i * lanes_w;
      if (t < n && r < end_row - first_row) y[y_at + t * y_stride + first_row + r] = sum[i][j];
    }
  }
}
