// gemm.comp in integers: x is what quantise.comp left.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common/base.glsl"
#include "common/weights.glsl"
#include "common/dot.glsl"

layout(constant_id = 2) const uint TILE = 32;
layout(constant_id = 3) const uint MICRO = 4;  // WG is (TILE / MICRO) squared

layout(binding = 1) readonly buffer In { uvec4 x_codes[]; };
layout(binding = 1) readonly buffer InScales { vec4 x_scales[]; };
layout(binding = 2) writeonly buffer Out { float y[]; };

layout(push_constant) uniform Push {
  PRODUCT_PUSH
};

const uint kPitch = 9;  // words of a unit, and one, so that rows begin in different banks
shared uint w_tile[TILE * kPitch];
shared vec4 w_scales[TILE];
shared uint x_tile[TILE * kPitch];
shared vec4 x_tile_scales[TILE];

void fill_tiles(uint unit, uint units, uint first_w, uint first_x) {
  for (uint r = lane(); r < TILE; r += WG) {
    Codes codes;
    codes.scale = codes.offset = vec2(0.0);
    [[unroll]] for (uint j = 0; j < 8; ++j) codes.bytes[j] = 0;
    if (first_w + r < end_row - first_row) read_codes(planes_of(plane_at, plane_stride, first_w + r), unit, codes);
    [[unroll]] for (uint j = 0; j < 8; ++j) w_tile[r * kPitch + j] = codes.bytes[j];
    w_scales[r] = vec4(codes.scale, codes.offset);
  }
  for (uint i = lane(); i < 2 * TILE; i += WG) {
    const uint t = first_x + i / 2;
    const uvec4 v = t < n ? x_codes[2 * (t * units + unit) + (i & 1)] : uvec4(0);
    [[unroll]] for (uint j = 0; j < 4; ++j) x_tile[i / 2 * kPitch + 4 * (i & 1) + j] = v[j];
    if ((i & 1) == 0) x_tile_scales[i / 2] = t < n ? x_scales[scales_at + t * units + unit] : vec4(0.0);
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
    fill_tiles(unit, units, first_w, first_x);
    barrier();
    [[unroll]] for (uint i = 0; i < MICRO; ++i) {
      uint a[8];
      [[unroll]] for (uint k = 0; k < 8; ++k) a[k] = w_tile[(w_at + i * lanes_w) * kPitch + k];
      const vec4 scale = w_scales[w_at + i * lanes_w];
      [[unroll]] for (uint j = 0; j < MICRO; ++j) {
        uint b[8];
        [[unroll]] for (uint k = 0; k < 8; ++k) b[k] = x_tile[(t_at + j * lanes_w) * kPitch + k];
        sum[i][j] += product_of_codes(a, scale, b, x_tile_scales[t_at + j * lanes_w]);
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
