// The column of a row's highest element, the lower one of two that are equal: a workgroup per row.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common/base.glsl"

layout(binding = 0) readonly buffer In { float x[]; };
layout(binding = 1) writeonly buffer Out { uint best[]; };

layout(push_constant) uniform Push {
  uint n_rows, columns;
  uint x_at, x_stride;
  uint best_at;
};

shared float value_of_lane[WG];
shared uint column_of_lane[WG];

void main() {
  const uint row = group();
  if (row >= n_rows) return;  // the whole workgroup
  const uint from = x_at + row * x_stride;
  float value = -kInfinity;
  uint column = columns;
  for (uint c = lane(); c < columns; c += WG) {
    if (column == columns || x[from + c] > value) {
      value = x[from + c];
      column = c;
    }
  }
  value_of_lane[lane()] = value;
  column_of_lane[lane()] = column;
  barrier();
  for (uint step = WG / 2; step > 0; step /= 2) {
    if (lane() < step) {
      const float other = value_of_lane[lane() + step];
      const uint other_column = column_of_lane[lane() + step];
      const bool is_better = other > value_of_lane[lane()] || (other == value_of_lane[lane()] && other_column < column_of_lane[lane()]);
      if (other_column < columns && (column_of_lane[lane()] == columns || is_better)) {
        value_of_lane[lane()] = other;
        column_of_lane[lane()] = other_column;
      }
    }
    barrier();
  }
  if (lane() == 0) best[best_at + row] = column_of_lane[0];
}
