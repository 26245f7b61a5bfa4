// A tile of a product of many columns: TILE rows of the matrix and as many of x, of which an invocation has MICRO x MICRO, in squares of
// four that it reads from shared memory as vectors. WG is (TILE / MICRO) squared. Before it multiplies what lies in shared memory an
// invocation asks for what comes next: of 2 TILE rows, first those of the matrix, it has kItems to fetch.
#include "epilogue.glsl"

layout(constant_id = 2) const uint TILE = 32;
layout(constant_id = 3) const uint MICRO = 4;  // a multiple of 4

const uint kQuads = MICRO / 4;
const uint kAcross = TILE / MICRO;  // invocations that share a row
const uint kItems = (2 * TILE + WG - 1) / WG;

layout(push_constant) uniform Push {
  PRODUCT_PUSH
  EPILOGUE_PUSH
};

FINISH

uint tiles_w() { return (end_row - first_row + TILE - 1) / TILE; }
uint first_w() { return group() % tiles_w() * TILE; }
uint first_x() { return group() / tiles_w() * TILE; }

/// Where in a tile the four rows begin that are an invocation's `quad`-th: of the matrix, of x.
uint quad_w(uint quad) { return 4 * (quad * kAcross + lane() % kAcross); }
uint quad_x(uint quad) { return 4 * (quad * kAcross + lane() / kAcross); }

/// The row that an item is of, cut to those that there are: no load is within a branch.
uint row_of_weights(uint item) { return min(first_w() + item, end_row - first_row - 1); }
uint row_of_x(uint item) { return min(first_x() + item - TILE, n - 1); }

/// sums[4 i + a][b][c]: of row quad_x(i) + a of x and row quad_w(b) + c of the matrix.
#define STORE_TILE(sums)                                                                                     \
  [[unroll]] for (uint j = 0; j < MICRO; ++j) {                                                              \
    const uint t = first_x() + quad_x(j / 4) + j % 4;                                                        \
    if (t >= n) continue;                                                                                    \
    [[unroll]] for (uint i = 0; i < MICRO; ++i) {                                                            \
      const uint r = first_w() + quad_w(i / 4) + i % 4;                                                      \
      if (r < end_row - first_row) finish(sums[j][i / 4][i % 4], y_at + t * y_stride + first_row + r, first_row + r); \
    }                                                                                                        \
  }
