// Few columns of x: out [COLUMNS][rows] = x [COLUMNS][columns] times the transpose of a matrix. A workgroup has ROWS rows of the
// matrix; its lanes share the units of a row. With EXPERTS a matrix is a stack of them, and the dispatch's z goes through
// the choices: the i-th has its own row of out, and its token's row of x or its own.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common/base.glsl"
#include "common/weights.glsl"

layout(constant_id = 2) const uint ROWS = 1;
layout(constant_id = 3) const uint COLUMNS = 1;
layout(constant_id = 4) const uint ALIGNED = 0;  // rows of x begin at multiples of four, and have whole units

layout(binding = 1) readonly buffer In { float x[]; };
layout(binding = 1) readonly buffer InVectors { vec4 x_vectors[]; };
layout(binding = 2) writeonly buffer Out { float y[]; };
#ifdef EXPERTS
layout(binding = 3) readonly buffer Chosen { float chosen[]; };
#endif

layout(push_constant) uniform Push {
  WEIGHT_PUSH
  uint first_row, end_row;  // of the matrix: those of this slice
  uint columns;
  uint x_at, x_stride;
  uint y_at, y_stride;
#ifdef EXPERTS
  uint rows_per_expert;
  uint n_used;  // choices per token
  uint x_per_choice;
  uint chosen_at, chosen_stride;
#endif
};

shared float partial[ROWS * COLUMNS * WG];

/// 32 elements of a row of x that begins at `at`; zeros past its end.
void read_x(uint at, uint unit, out vec4 v[8]) {
  if (ALIGNED != 0) {
    [[unroll]] for (uint j = 0; j < 8; ++j) v[j] = x_vectors[at / 4 + 8 * unit + j];
    return;
  }
  const uint first = at + 32 * unit;
  if (32 * unit + 32 <= columns) {
    [[unroll]] for (uint j = 0; j < 8; ++j) {
      const uint k = first + 4 * j;
      v[j] = vec4(x[k], x[k + 1], x[k + 2], x[k + 3]);
    }
    return;
  }
  for (uint j = 0; j < 8; ++j) v[j] = vec4(0.0);
  for (uint j = 0; 32 * unit + j < columns; ++j) v[j / 4][j & 3] = x[first + j];
}

float product(vec4 a[8], vec4 b[8]) {
  vec4 s = a[0] * b[0];
  [[unroll]] for (uint j = 1; j < 8; ++j) s += a[j] * b[j];
  return (s.x + s.y) + (s.z + s.w);
}

void main() {
  uint first = group() * ROWS;  // row of the matrix, or of an expert
  uint x_first = x_at;
  uint y_first = y_at;
  uint rows_here = end_row - first_row;
  uint shift = 0;  // rows before this expert's
#ifdef EXPERTS
  const uint choice = gl_WorkGroupID.z;
  const uint token = choice / n_used;
  x_first += (x_per_choice != 0 ? choice : token) * x_stride;
  y_first += choice * y_stride;
  rows_here = rows_per_expert;
  shift = uint(chosen[chosen_at + token * chosen_stride + choice % n_used]) * rows_per_expert;
#endif
  float sum[ROWS][COLUMNS];
  for (uint r = 0; r < ROWS; ++r) {
    for (uint c = 0; c < COLUMNS; ++c) sum[r][c] = 0.0;
  }
  uvec4 planes[ROWS];
  bool is_here[ROWS];  // there is such a row, in this slice
  for (uint r = 0; r < ROWS; ++r) {
    const uint row = shift + first + r;  // of the matrix; without experts of the slice
#ifdef EXPERTS
    is_here[r] = first + r < rows_here && row >= first_row && row < end_row;
    planes[r] = planes_of(plane_at, plane_stride, row - first_row);
#else
    is_here[r] = first + r < rows_here;
    planes[r] = planes_of(plane_at, plane_stride, row);
#endif
  }
  const uint units = (columns + 31) / 32;
  for (uint unit = lane(); unit < units; unit += WG) {
    vec4 v[8];
    if (COLUMNS == 1) read_x(x_first, unit, v);  // once for all rows
    for (uint r = 0; r < ROWS; ++r) {
      if (!is_here[r]) continue;
      vec4 w[8];
      read_unit(planes[r], unit, w);
      for (uint c = 0; c < COLUMNS; ++c) {
        if (COLUMNS > 1) read_x(x_first + c * x_stride, unit, v);
        sum[r][c] += product(w, v);
      }
    }
  }
  for (uint r = 0; r < ROWS; ++r) {
    for (uint c = 0; c < COLUMNS; ++c) partial[(r * COLUMNS + c) * WG + lane()] = sum[r][c];
  }
  barrier();
  for (uint step = WG / 2; step > 0; step /= 2) {
    if (lane() < step) {
      for (uint i = 0; i < ROWS * COLUMNS; ++i) partial[i * WG + lane()] += partial[i * WG + lane() + step];
    }
    barrier();
  }
  for (uint i = lane(); i < ROWS * COLUMNS; i += WG) {
    const uint r = first + i / COLUMNS;
    const uint c = i % COLUMNS;
    if (r >= rows_here) continue;
#ifdef EXPERTS
    if (shift + r < first_row || shift + r >= end_row) continue;
    y[y_first + r] = partial[i * WG];
#else
    y[y_first + c * y_stride + first_row + r] = partial[i * WG];
#endif
  }
}
