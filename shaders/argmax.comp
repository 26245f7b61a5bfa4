// The column of a row's highest element, the lowest one of several that are equal: a workgroup per row. -1 where an element is
// NaN or +infinity, or none is finite: that is a broken model.
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

#define kNone 0xFFFFFFFEu  // higher than any column
#define kBroken 0xFFFFFFFFu

/// NaN or +infinity. On the bits: drivers may take it that there are none.
bool is_broken(float value) {
  const uint bits = floatBitsToUint(value);
  return (bits & 0x7F800000u) == 0x7F800000u && bits != 0xFF800000u;
}

/// Takes over another lane's choice if it is the better one.
void meet(uint mine, uint other) {
  if (column_of_lane[mine] == kBroken) return;
  const bool is_higher = value_of_lane[other] > value_of_lane[mine];
  const bool is_first = value_of_lane[other] == value_of_lane[mine] && column_of_lane[other] < column_of_lane[mine];
  if (is_higher || is_first || column_of_lane[other] == kBroken) {
    value_of_lane[mine] = value_of_lane[other];
    column_of_lane[mine] = column_of_lane[other];
  }
}

void main() {
  const uint row = group();
  if (row >= n_rows) return;  // the whole workgroup
  const uint from = x_at + row * x_stride;
  float highest = -kInfinity;
  uint column = kNone;
  for (uint c = lane(); c < columns; c += WG) {
    const float value = x[from + c];
    if (is_broken(value)) {
      column = kBroken;
      break;
    }
    if (value > highest) {
      highest = value;
      column = c;
    }
  }
  value_of_lane[lane()] = highest;
  column_of_lane[lane()] = column;
  barrier();
  for (uint step = WG / 2; step > 0; step /= 2) {
    if (lane() < step) meet(lane(), lane() + step);
    barrier();
  }
  if (lane() == 0) best[best_at + row] = column_of_lane[0] == kNone ? kBroken : column_of_lane[0];
}
