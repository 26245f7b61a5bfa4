// gemm.comp in integers: x is bytes (common/bytes.glsl). Of a unit its eight words of four codes lie in shared memory, word by word, so
// that those of four rows are one read; the sums of a unit are whole numbers, and are scaled once.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common/base.glsl"
#include "common/weights.glsl"
#include "common/dot.glsl"
#include "common/tile.glsl"

layout(binding = 1) readonly buffer In { uvec4 x_codes[]; };
layout(binding = 1) readonly buffer InScales { vec4 x_scales[]; };

const uint kSums = kHasHalves ? 2 : 1;  // of a unit: a half each where they are scaled differently

shared uvec4 w_tile[8 * TILE / 4];
shared uvec4 x_tile[8 * TILE / 4];
shared vec4 w_scale[2 * TILE / 4];  // of four rows each: scales of the first halves, of the second ones
shared vec4 w_offset[2 * TILE / 4];
shared vec4 x_scale[TILE];

struct Item {
  RawUnit raw;
  uvec4 codes[2];
  vec4 scale;
};

void fetch(uint unit, inout Item items[kItems]) {
  [[unroll]] for (uint e = 0; e < kItems; ++e) {
    const uint item = e * WG + lane();
    if (item < TILE) {
      load_unit(planes_of(plane_at, plane_stride, row_of_weights(item)), unit, items[e].raw);
    } else if (item < 2 * TILE) {
      const uint at = x_at + row_of_x(item) * x_stride + unit;
      items[e].codes[0] = x_codes[at];
      items[e].codes[1] = x_codes[scales_at / 2 + at];
      items[e].scale = x_scales[scales_at + at];
    }
  }
}

void put(Item items[kItems]) {
  [[unroll]] for (uint e = 0; e < kItems; ++e) {
    const uint item = e * WG + lane();
    if (item < TILE) {
      Codes codes;
      read_codes(items[e].raw, codes);
      [[unroll]] for (uint k = 0; k < 8; ++k) w_tile[k * TILE / 4 + item / 4][item % 4] = codes.bytes[k];
      [[unroll]] for (uint k = 0; k < kSums; ++k) {
        w_scale[k * TILE / 4 + item / 4][item % 4] = codes.scale[k];
        w_offset[k * TILE / 4 + item / 4][item % 4] = codes.offset[k];
      }
    } else if (item < 2 * TILE) {
      const uint t = item - TILE;
      [[unroll]] for (uint k = 0; k < 8; ++k) x_tile[k * TILE / 4 + t / 4][t % 4] = items[e].codes[k / 4][k & 3];
      vec4 scale = items[e].scale;
      if (kSums == 1) scale.y += scale.z;
      x_scale[t] = scale;
    }
  }
}

ivec4 dots(uvec4 w, uint v) {
  return ivec4(dot_of_bytes(w.x, v, kPacked4x8), dot_of_bytes(w.y, v, kPacked4x8), dot_of_bytes(w.z, v, kPacked4x8),
               dot_of_bytes(w.w, v, kPacked4x8));
}

/// Adds the products of a part of the unit that has scales of its own.
void multiply(uint part, inout vec4 sum[MICRO][kQuads]) {
  ivec4 whole[MICRO][kQuads];
  [[unroll]] for (uint j = 0; j < MICRO; ++j) {
    [[unroll]] for (uint i = 0; i < kQuads; ++i) whole[j][i] = ivec4(0);
  }
  [[unroll]] for (uint k = 0; k < 8 / kSums; ++k) {
    const uint word = part * 4 + k;
    uvec4 a[kQuads];
    [[unroll]] for (uint i = 0; i < kQuads; ++i) a[i] = w_tile[(word * TILE + quad_w(i)) / 4];
    [[unroll]] for (uint j = 0; j < kQuads; ++j) {
      const uvec4 b = x_tile[(word * TILE + quad_x(j)) / 4];
      [[unroll]] for (uint i = 0; i < kQuads; ++i) {
        [[unroll]] for (uint e = 0; e < 4; ++e) whole[4 * j + e][i] += dots(a[i], b[e]);
      }
    }
  }
  [[unroll]] for (uint i = 0; i < kQuads; ++i) {
    const vec4 scale = w_scale[(part * TILE + quad_w(i)) / 4];
    const vec4 offset = w_offset[(part * TILE + quad_w(i)) / 4];
    [[unroll]] for (uint j = 0; j < MICRO; ++j) {
      const vec4 s = x_scale[quad_x(j / 4) + j % 4];
      sum[j][i] += (s.x * scale) * vec4(whole[j][i]) + s[1 + part] * offset;
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
    [[unroll]] for (uint part = 0; part < kSums; ++part) multiply(part, sum);
  }
  STORE_TILE(sum)
}
