// Many columns of x: out [n][rows] = x [n][columns] times the transpose of a matrix, and what follows, in tiles (common/tile.glsl). A
// unit of 32 columns at a time lies in shared memory, by columns, so that four rows are one read.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common/base.glsl"
#include "common/weights.glsl"
#include "common/tile.glsl"

layout(constant_id = 4) const uint ALIGNED = 0;  // rows of x begin at multiples of four, and have whole units

layout(binding = 1) readonly buffer In { float x[]; };
layout(binding = 1) readonly buffer InVectors { vec4 x_vectors[]; };

shared vec4 w_tile[32 * TILE / 4];
shared vec4 x_tile[32 * TILE / 4];

struct Item {
  RawUnit raw;
  vec4 v[8];
};

void fetch_x(uint t, uint unit, out vec4 v[8]) {
  const uint first = x_at + t * x_stride + 32 * unit;
  if (ALIGNED != 0) {
    [[unroll]] for (uint j = 0; j < 8; ++j) v[j] = x_vectors[first / 4 + j];
    return;
  }
  const uint there = min(columns - 32 * unit, 32u);
  [[unroll]] for (uint j = 0; j < 32; ++j) v[j / 4][j & 3] = j < there ? x[first + j] : 0.0;
}

void fetch(uint unit, inout Item items[kItems]) {
  [[unroll]] for (uint e = 0; e < kItems; ++e) {
    const uint item = e * WG + lane();
    if (item < TILE) {
      load_unit(planes_of(plane_at, plane_stride, row_of_weights(item)), unit, items[e].raw);
    } else if (item < 2 * TILE) {
      fetch_x(row_of_x(item), unit, items[e].v);
    }
  }
}

void put(Item items[kItems]) {
  [[unroll]] for (uint e = 0; e < kItems; ++e) {
    const uint item = e * WG + lane();
    if (item < TILE) {
      vec4 w[8];
      read_unit(items[e].raw, w);
      [[unroll]] for (uint k = 0; k < 32; ++k) w_tile[k * TILE / 4 + item / 4][item % 4] = w[k / 4][k & 3];
    } else if (item < 2 * TILE) {
      const uint t = item - TILE;
      [[unroll]] for (uint k = 0; k < 32; ++k) x_tile[k * TILE / 4 + t / 4][t % 4] = items[e].v[k / 4][k & 3];
    }
  }
}

void main() {
  if (first_x() >= n) return;  // the whole workgroup
  vec4 sum[MICRO][kQuads];
  [[unroll]] for (uint j = 0; j < MICRO; ++j) {
    [[unroll]] for (uint i = 0; i < kQuads; ++i) sum[j][i] = vec4(0.0);
  }
  const uint units = (columns + 31) / 32;
  Item items[kItems];
  fetch(0, items);
  for (uint unit = 0; unit < units; ++unit) {
    barrier();
    put(items);
    barrier();
    fetch(min(unit + 1, units - 1), items);
    for (uint k = 0; k < 32; ++k) {
      vec4 a[kQuads];
      [[unroll]] for (uint i = 0; i < kQuads; ++i) a[i] = w_tile[(k * TILE + quad_w(i)) / 4];
      [[unroll]] for (uint j = 0; j < kQuads; ++j) {
        const vec4 b = x_tile[(k * TILE + quad_x(j)) / 4];
        [[unroll]] for (uint i = 0; i < kQuads; ++i) {
          [[unroll]] for (uint e = 0; e < 4; ++e) sum[4 * j + e][i] += b[e] * a[i];
        }
      }
    }
  }
  STORE_TILE(sum)
}
