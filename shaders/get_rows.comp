// out row i = row ids[i] of a matrix. An invocation unpacks a unit of 32.
#version 450
#extension GL_GOOGLE_include_directive : require
#define STEP_BINDING 2
#include "common/base.glsl"
#include "common/step.glsl"
#include "common/weights.glsl"

layout(binding = 1) writeonly buffer Out { float y[]; };

layout(push_constant) uniform Push {
  WEIGHT_PUSH
  uint first_row, end_row;  // of the matrix: those of this slice
  uint columns;
  uint n_rows;
  uint y_at, y_stride;
  uint ids_at;  // in the step's words
};

void main() {
  const uint units = (columns + 31) / 32;
  const uint i = invocation() / units;
  const uint unit = invocation() % units;
  if (i >= n_rows) return;
  const uint id = step_words[ids_at + i];
  if (id < first_row || id >= end_row) return;
  vec4 w[8];
  read_unit(planes_of(plane_at, plane_stride, id - first_row), unit, w);
  for (uint j = 0; j < 32; ++j) {
    const uint c = 32 * unit + j;
    if (c < columns) y[y_at + i * y_stride + c] = w[j / 4][j & 3];
  }
}
