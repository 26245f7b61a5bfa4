// gemm.comp on cooperative matrices: factors in half precision, sums in floats. x is what halve.comp left.
//
// A workgroup of four subgroups has a tile of TILE_W rows of the matrix and TILE_X rows of x, each subgroup a quarter of it: a half of
// the rows of either. What is multiplied lies in shared memory, UNITS units of 32 columns at a time, twice: while a step is
// multiplied, the next one is on its way from the buffers into registers, from where it goes to the other half; so one barrier
// per step is enough. The next step is fetched without a branch, so that a compiler may place its arithmetic among the products.
#version 450
#pragma use_vulkan_memory_model
#extension GL_GOOGLE_include_directive : require
#include "common/base.glsl"
#include "common/fragments.glsl"
#include "common/halves.glsl"
#include "common/weights.glsl"

layout(constant_id = 6) const uint TILE_W = 64;
layout(constant_id = 7) const uint TILE_X = 64;
layout(constant_id = 8) const uint UNITS = 2;

layout(binding = 1) readonly buffer In { uvec4 x[]; };
layout(binding = 2) writeonly buffer Out { float y[]; };

layout(push_constant) uniform Push {
  PRODUCT_PUSH
};

const uint kSide = 2;                    // subgroups along either side of a tile
const uint PARTS_W = TILE_W / kSide / M;  // fragments of a subgroup
const uint PARTS_X = TILE_X / kSide / N;
const uint VECTORS = 4 * UNITS;          // of eight halves in a row of a step
const uint PITCH = VECTORS + 1;          // odd: eight rows in a column of vectors lie in different banks
const uint X_TILE_AT = TILE_W * PITCH;
const uint STEP_VECTORS = (TILE_W + TILE_X) * PITCH;
shared uvec4 tiles[2 * STEP_VECTORS];

const uint W_PER_LANE = (TILE_W * UNITS + WG - 1) / WG;
const uint X_PER_LANE = (TILE_X * VECTORS + WG - 1) / WG;
uvec4 next_w[4 * W_PER_LANE];
uvec4 next_x[X_PER_LANE];

/// Row and column of the i-th of a tile's parts, which has `across` of them to a row: eight rows at a time, so that neighbours write to
/// different banks, and still read 64 bytes in a row.
uvec2 place(uint i, uint across) { return uvec2(i / (8 * across) * 8 + i % 8, i / 8 % across); }

/// A unit of weights. F16 is there already; of the types, some have numbers that half precision has not.
void read_halves(uvec4 row, uint unit, uint i) {
  if (WEIGHT_TYPE == 1) {
    [[unroll]] for (uint j = 0; j < 4; ++j) next_w[4 * i + j] = weight_vectors[row.x / 4 + 4 * unit + j];
    return;
  }
  const bool may_be_large = WEIGHT_TYPE == 0 || WEIGHT_TYPE == 30 || WEIGHT_TYPE == 39;  // F32, BF16, MXFP4
  vec4 w[8];
  read_unit(row, unit, w);
  [[unroll]] for (uint j = 0; j < 4; ++j) {
    next_w[4 * i + j] = may_be_large ? eight_halves(w[2 * j], w[2 * j + 1]) : eight_small_halves(w[2 * j], w[2 * j + 1]);
  }
}

/// Rows past the last and units past a row's end are others again: nobody takes the former, and the latter meet zeros of x.
void fetch(uint unit, uint first_w, uint first_x) {
  const uint last_row = end_row - first_row - 1;
  const uint last_unit = (columns + 31) / 32 - 1;
  [[unroll]] for (uint i = 0; i < X_PER_LANE; ++i) {
    const uvec2 at = place(i * WG + lane(), VECTORS);
    next_x[i] = x[x_at + (first_x + min(at.x, TILE_X - 1)) * x_stride + 4 * unit + at.y];
  }
  [[unroll]] for (uint i = 0; i < W_PER_LANE; ++i) {
    const uvec2 at = place(i * WG + lane(), UNITS);
    read_halves(planes_of(plane_at, plane_stride, min(first_w + at.x, last_row)), min(unit + at.y, last_unit), i);
  }
}

/// What was fetched, into the half of shared memory that begins at `to`.
void put(uint to) {
  [[unroll]] for (uint i = 0; i < X_PER_LANE; ++i) {
    const uvec2 at = place(i * WG + lane(), VECTORS);
    if (at.x < TILE_X) tiles[to + X_TILE_AT + at.x * PITCH + at.y] = next_x[i];
  }
  [[unroll]] for (uint i = 0; i < W_PER_LANE; ++i) {
    const uvec2 at = place(i * WG + lane(), UNITS);
    if (at.x < TILE_W) {
      [[unroll]] for (uint j = 0; j < 4; ++j) tiles[to + at.x * PITCH + 4 * at.y + j] = next_w[4 * i + j];
    }
  }
}

void main() {
  const uint rows = end_row - first_row;
  const uint tiles_x = (n + TILE_X - 1) / TILE_X;
  const uint first_x = group() % tiles_x * TILE_X;  // neighbours share their weights
  const uint first_w = group() / tiles_x * TILE_W;
  if (first_w >= rows) return;  // the whole workgroup
  const uint from_w = gl_SubgroupID % kSide * (TILE_W / kSide);  // of the tile: this subgroup's
  const uint from_x = gl_SubgroupID / kSide * (TILE_X / kSide);
  SUM_FRAGMENT sum[PARTS_W * PARTS_X];
  [[unroll]] for (uint i = 0; i < PARTS_W * PARTS_X; ++i) sum[i] = SUM_FRAGMENT(0.0);
  const uint units = (columns + 31) / 32;
  fetch(0, first_w, first_x);
  put(0);
  barrier();
  uint from = 0;
  for (uint unit = 0; unit < units; unit += UNITS) {
    fetch(unit + UNITS < units ? unit + UNITS : unit, first_w, first_x);
    [[unroll]] for (uint k = 0; k < 32 * UNITS / 8; k += K / 8) {
      LEFT_FRAGMENT w[PARTS_W];
      [[unroll]] for (uint i = 0; i < PARTS_W; ++i) {
        coopMatLoadNV(w[i], tiles, from + (from_w + M * i) * PITCH + k, PITCH, BY_ROWS);
      }
      [[unroll]] for (uint j = 0; j < PARTS_X; ++j) {
        RIGHT_FRAGMENT v;
        coopMatLoadNV(v, tiles, from + X_TILE_AT + (from_x + N * j) * PITCH + k, PITCH, BY_COLUMNS);
        [[unroll]] for (uint i = 0; i < PARTS_W; ++i) {
          sum[i * PARTS_X + j] = coopMatMulAddNV(w[i], v, sum[i * PARTS_X + j]);
        }
      }
    }
    from = STEP_VECTORS - from;
    put(from);
    barrier();
  }
  const uint to_w = first_w + from_w;
  const uint to_x = first_x + from_x;
  const bool is_whole = first_w + TILE_W <= rows && first_x + TILE_X <= n;
  if (is_whole && ((y_at | y_stride | first_row) & 3) == 0) {  // columns begin at multiples of 16 bytes
    [[unroll]] for (uint i = 0; i < PARTS_W * PARTS_X; ++i) {
      const uint t = to_x + i % PARTS_X * N;
      coopMatStoreNV(sum[i], y, y_at + t * y_stride + first_row + to_w + i / PARTS_X * M, y_stride, BY_COLUMNS);
    }
    return;
  }
  // By way of shared memory, where an element's place is known.
  const uint own = gl_SubgroupID * (M * N / 4);
  [[unroll]] for (uint i = 0; i < PARTS_W * PARTS_X; ++i) {
    coopMatStoreNV(sum[i], tiles, own, M / 4, BY_COLUMNS);
    subgroupBarrier();
    for (uint e = gl_SubgroupInvocationID; e < M * N; e += gl_SubgroupSize) {
      const uint r = to_w + i / PARTS_X * M + e % M;
      const uint t = to_x + i % PARTS_X * N + e / M;
      if (r < rows && t < n) y[y_at + t * y_stride + first_row + r] = uintBitsToFloat(tiles[own + e / 4][e & 3]);
    }
    subgroupBarrier();
  }
}
