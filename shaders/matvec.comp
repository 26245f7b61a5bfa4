// Few columns of x: out [COLUMNS][rows] = x [COLUMNS][columns] times the transpose of a matrix, and what follows (epilogue.glsl). A
// workgroup has ROWS rows of the matrix; its lanes share the units of a row. With EXPERTS a matrix is a stack of them, and the
// dispatch's z goes through the choices: the i-th has its own row of out, and its token's row of x or its own. With DOT x is
// bytes (bytes.glsl), and products are those of integers. Gated, the row of another matrix, `gate_shift` words further on, goes with each:
// out = activation(its product) times that of the row.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common/base.glsl"
#include "common/weights.glsl"
#ifdef SUBGROUP
#extension GL_KHR_shader_subgroup_arithmetic : require
#endif

layout(constant_id = 2) const uint ROWS = 1;
layout(constant_id = 3) const uint COLUMNS = 1;

#ifdef EXPERTS
layout(binding = 2) writeonly buffer Out { float y[]; };
layout(binding = 3) readonly buffer Chosen { float chosen[]; };
const bool kHasGate = false;
#define EPILOGUE_PUSH
#else
#include "common/epilogue.glsl"
const bool kHasGate = (EPILOGUE & kIsGated) != 0;
#endif
const uint kAll = kHasGate ? 2 * ROWS : ROWS;  // first the rows, then those of the gate

layout(push_constant) uniform Push {
  PRODUCT_PUSH
  EPILOGUE_PUSH
#ifdef EXPERTS
  uint rows_per_expert;
  uint n_used;  // choices per token
  uint x_per_choice;
  uint chosen_at, chosen_stride;
#else
  uint gate_shift;
#endif
};

#ifdef DOT
#include "common/dot_unit.glsl"
#else
#include "common/float_unit.glsl"
#endif
#ifndef EXPERTS
FINISH
#endif

/// The sums of all lanes, as partial[(r * COLUMNS + c) * kPitch], seen by lane r * COLUMNS + c, and WG further, and so on.
#ifdef SUBGROUP
const uint kPitch = WG < 4 ? 1 : WG / 4;  // as many subgroups at most
shared float partial[kAll * COLUMNS * kPitch];

void add_up(float sum[kAll][COLUMNS]) {
  [[unroll]] for (uint r = 0; r < kAll; ++r) {
    [[unroll]] for (uint c = 0; c < COLUMNS; ++c) {
      const float own = subgroupAdd(sum[r][c]);
      if (subgroupElect()) partial[(r * COLUMNS + c) * kPitch + gl_SubgroupID] = own;
    }
  }
  barrier();
  for (uint i = lane(); i < kAll * COLUMNS; i += WG) {
    for (uint k = 1; k < gl_NumSubgroups; ++k) partial[i * kPitch] += partial[i * kPitch + k];
  }
  barrier();  // a row and its gate are two lanes'
}
#else
const uint kPitch = WG;
shared float partial[kAll * COLUMNS * kPitch];

void add_up(float sum[kAll][COLUMNS]) {
  [[unroll]] for (uint r = 0; r < kAll; ++r) {
    [[unroll]] for (uint c = 0; c < COLUMNS; ++c) partial[(r * COLUMNS + c) * WG + lane()] = sum[r][c];
  }
  barrier();
  for (uint step = WG / 2; step > 0; step /= 2) {
    if (lane() < step) {
      for (uint i = 0; i < kAll * COLUMNS; ++i) partial[i * WG + lane()] += partial[i * WG + lane() + step];
    }
    barrier();
  }
}
#endif

void main() {
  const uint first = group() * ROWS;  // row of the matrix, or of an expert
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
  shift = uint(chosen[chosen_at + token * chosen_stride + choice % n_used]) * rows_per_expert - first_row;
#endif
  float sum[kAll][COLUMNS];
  uvec4 planes[kAll];
  [[unroll]] for (uint r = 0; r < kAll; ++r) {
    [[unroll]] for (uint c = 0; c < COLUMNS; ++c) sum[r][c] = 0.0;
    // Rows past the end are read as if they were the last, so that there is no branch around a load.
    const uint row = shift + min(first + r % ROWS, rows_here - 1);
#ifdef EXPERTS
    planes[r] = planes_of(plane_at, plane_stride, row < end_row - first_row ? row : 0);
#else
    planes[r] = planes_of(plane_at + (r < ROWS ? 0 : gate_shift), plane_stride, row);
#endif
  }
  const uint units = (columns + 31) / 32;
  for (uint base = 0; base < units; base += WG) {
    stage_input(x_first, base, units);
    const uint unit = base + lane();
    if (unit < units) {
      RawUnit raw[kAll];
      [[unroll]] for (uint r = 0; r < kAll; ++r) load_unit(planes[r], unit, raw[r]);
      InputUnit v;
      if (COLUMNS == 1) read_input(x_first, unit, v);  // once for all rows
      [[unroll]] for (uint r = 0; r < kAll; ++r) {
        WeightUnit w;
        read_weights(raw[r], w);
        [[unroll]] for (uint c = 0; c < COLUMNS; ++c) {
          if (COLUMNS > 1) read_input(x_first + c * x_stride, unit, v);
          sum[r][c] += product(w, v);
        }
      }
    }
  }
  add_up(sum);
  for (uint i = lane(); i < ROWS * COLUMNS; i += WG) {
    const uint r = first + i / COLUMNS;
    const uint c = i % COLUMNS;
    if (r >= rows_here) continue;
#ifdef EXPERTS
    if (shift + r >= end_row - first_row) continue;  // in another slice
    y[y_first + r] = partial[i * kPitch];
#else
    float result = partial[i * kPitch];
    if (kHasGate) result *= activate(partial[(i + ROWS * COLUMNS) * kPitch]);
    finish(result, y_first + c * y_stride + first_row + r, first_row + r);
#endif
  }
}
