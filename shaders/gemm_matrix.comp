// gemm.comp on cooperative matrices of 16 x 16: factors in half precision, sums in floats. A workgroup has a tile of TILE x TILE,
// its eight subgroups have a quarter of the rows of the matrix and a half of those of x each. What half precision cannot
// hold of x is cut to its largest number.
//
// The extension is NVIDIA's, which compilers know for long; engine/device/vulkan/khr_matrices.h puts the module into the words of
// Khronos's. There a type says what its matrices are used for: here the number of the constant with its rows does.
#version 450
#pragma use_vulkan_memory_model
#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_NV_cooperative_matrix : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#include "common/base.glsl"
#include "common/weights.glsl"

layout(constant_id = 20) const int LEFT = 16;
layout(constant_id = 21) const int RIGHT = 16;
layout(constant_id = 22) const int SUM = 16;
#define LEFT_MATRIX fcoopmatNV<16, gl_ScopeSubgroup, LEFT, 16>
#define RIGHT_MATRIX fcoopmatNV<16, gl_ScopeSubgroup, RIGHT, 16>
#define SUM_MATRIX fcoopmatNV<32, gl_ScopeSubgroup, SUM, 16>

const uint TILE = 128;  // WG is twice that: the first half fetches weights, the other one x
const uint SUBGROUPS_W = 4;
const uint SUBGROUPS_X = 2;
const uint PARTS_W = TILE / 16 / SUBGROUPS_W;  // matrices of a subgroup
const uint PARTS_X = TILE / 16 / SUBGROUPS_X;

layout(binding = 1) readonly buffer In { float x[]; };
layout(binding = 2) writeonly buffer Out { float y[]; };

layout(push_constant) uniform Push {
  PRODUCT_PUSH
};

const uint kPitch = 5;  // vectors of eight halves in a unit, and one, so that rows begin in different banks
shared uvec4 w_tile[TILE * kPitch];
shared uvec4 x_tile[TILE * kPitch];
shared float results[SUBGROUPS_W * SUBGROUPS_X * 256];

uint two_halves(vec2 v) { return packHalf2x16(clamp(v, -65504.0, 65504.0)); }

uvec4 eight_halves(vec4 a, vec4 b) {
  return uvec4(two_halves(a.xy), two_halves(a.zw), two_halves(b.xy), two_halves(b.zw));
}

void fetch_weights(uint r, uint unit, uint first_w) {
  vec4 w[8];
  if (first_w + r < end_row - first_row) {
    read_unit(planes_of(plane_at, plane_stride, first_w + r), unit, w);
  } else {
    for (uint j = 0; j < 8; ++j) w[j] = vec4(0.0);
  }
  [[unroll]] for (uint j = 0; j < 4; ++j) w_tile[r * kPitch + j] = eight_halves(w[2 * j], w[2 * j + 1]);
}

void fetch_x(uint r, uint unit, uint first_x) {
  const uint first = x_at + (first_x + r) * x_stride + 32 * unit;
  const uint there = first_x + r < n ? min(columns - 32 * unit, 32u) : 0;
  vec4 v[8];
  [[unroll]] for (uint j = 0; j < 32; ++j) v[j / 4][j & 3] = j < there ? x[first + j] : 0.0;
  [[unroll]] for (uint j = 0; j < 4; ++j) x_tile[r * kPitch + j] = eight_halves(v[2 * j], v[2 * j + 1]);
}

void main() {
  const uint tiles_w = (end_row - first_row + TILE - 1) / TILE;
  const uint first_w = group() % tiles_w * TILE;
  const uint first_x = group() / tiles_w * TILE;
  if (first_x >= n) return;  // the whole workgroup
  const uint from_w = gl_SubgroupID % SUBGROUPS_W * PARTS_W * 16;  // of the tile: this subgroup's
  const uint from_x = gl_SubgroupID / SUBGROUPS_W * PARTS_X * 16;
  SUM_MATRIX sum[PARTS_W][PARTS_X];
  [[unroll]] for (uint i = 0; i < PARTS_W; ++i) {
    [[unroll]] for (uint j = 0; j < PARTS_X; ++j) sum[i][j] = SUM_MATRIX(0.0);
  }
  const uint units = (columns + 31) / 32;
  for (uint unit = 0; unit < units; ++unit) {
    if (lane() < TILE) {
      fetch_weights(lane(), unit, first_w);
    } else {
      fetch_x(lane() - TILE, unit, first_x);
    }
    barrier();
    [[unroll]] for (uint k = 0; k < 4; k += 2) {
      LEFT_MATRIX w[PARTS_W];
      [[unroll]] for (uint i = 0; i < PARTS_W; ++i) {
        coopMatLoadNV(w[i], w_tile, (from_w + 16 * i) * kPitch + k, kPitch, false);
      }
      [[unroll]] for (uint j = 0; j < PARTS_X; ++j) {
        RIGHT_MATRIX v;
        coopMatLoadNV(v, x_tile, (from_x + 16 * j) * kPitch + k, kPitch, true);
        [[unroll]] for (uint i = 0; i < PARTS_W; ++i) sum[i][j] = coopMatMulAddNV(w[i], v, sum[i][j]);
      }
    }
    barrier();
  }
  // By way of shared memory: y need not be aligned, and ends within a tile.
  const uint own = gl_SubgroupID * 256;
  [[unroll]] for (uint i = 0; i < PARTS_W; ++i) {
    [[unroll]] for (uint j = 0; j < PARTS_X; ++j) {
      coopMatStoreNV(sum[i][j], results, own, 16, true);
      barrier();
      for (uint e = gl_SubgroupInvocationID; e < 256; e += gl_SubgroupSize) {
        const uint r = first_w + from_w + 16 * i + e % 16;
        const uint t = first_x + from_x + 16 * j + e / 16;
        if (t < n && r < end_row - first_row) y[y_at + t * y_stride + first_row + r] = results[own + e];
      }
      barrier();
    }
  }
}
