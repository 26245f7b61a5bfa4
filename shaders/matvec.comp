// Few columns of x: out [COLUMNS][rows] = x [COLUMNS][columns] times the transpose of a matrix. A workgroup has ROWS rows of the
// matrix; its lanes share the units of a row. With EXPERTS a matrix is a stack of them, and the dispatch's z goes through
// the choices: the i-th has its own row of out, and its token's row of x or its own. With DOT x is what quantise.comp left, and products
// are those of integers.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common/base.glsl"
#include "common/weights.glsl"
#ifdef SUBGROUP
#extension GL_KHR_shader_subgroup_arithmetic : require
#endif

layout(constant_id = 2) const uint ROWS = 1;
layout(constant_id = 3) const uint COLUMNS = 1;

layout(binding = 2) writeonly buffer Out { float y[]; };
#ifdef EXPERTS
layout(binding = 3) readonly buffer Chosen { float chosen[]; };
#endif

layout(push_constant) uniform Push {
  PRODUCT_PUSH
#ifdef EXPERTS
  uint rows_per_expert;
  uint n_used;  // choices per token
  uint x_per_choice;
  uint chosen_at, chosen_stride;
#endif
};

#ifdef DOT
#include "common/dot_unit.glsl"
#else
#include "common/float_unit.glsl"
#endif

shared float partial[ROWS * COLUMNS * WG];

/// The sums of all lanes, as partial[(r * COLUMNS + c) * WG], seen by lane r * COLUMNS + c, and WG further, and so on.
#ifdef SUBGROUP
void add_up(float sum[ROWS][COLUMNS]) {
  for (uint r = 0; r < ROWS; ++r) {
    for (uint c = 0; c < COLUMNS; ++c) {
      const float own = subgroupAdd(sum[r][c]);
      if (subgroupElect()) partial[(r * COLUMNS + c) * WG + gl_SubgroupID] = own;
    }
  }
  barrier();
  for (uint i = lane(); i < ROWS * COLUMNS; i += WG) {
    for (uint k = 1; k < gl_NumSubgroups; ++k) partial[i * WG] += partial[i * WG + k];
  }
}
#else
void add_up(float sum[ROWS][COLUMNS]) {
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
}
#endif

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
    InputUnit v;
    if (COLUMNS == 1) read_input(x_first, unit, v);  // once for all rows
    for (uint r = 0; r < ROWS; ++r) {
      if (!is_here[r]) continue;
      WeightUnit w;
      read_weights(planes[r], unit, w);
      for (uint c = 0; c < COLUMNS; ++c) {
        if (COLUMNS > 1) read_input(x_first + c * x_stride, unit, v);
        sum[r][c] += product(w, v);
      }
    }
  }
  add_up(sum);
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
