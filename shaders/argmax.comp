// The column of a row's highest element, the lowest one of several that are equal: a workgroup per row, or per part of
// it: then its choices are the columns among which another dispatch chooses. -1 where an element is
// NaN or +infinity, or none is finite: that is a broken model.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common/base.glsl"

layout(binding = 0) readonly buffer In { float x[]; };
layout(binding = 1) buffer Out { uint best[]; };

layout(constant_id = 1) const uint CHOOSES = 0;  // among `columns` columns that stand in best from choices_at on, for each row
layout(constant_id = 2) const uint IS_LAST = 1;

layout(push_constant) uniform Push {
  uint n_rows, columns;
  uint x_at, x_stride;
  uint best_at;     // [row][part]
  uint choices_at;
  uint span;        // columns of a part
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
  const uint parts = (columns + span - 1) / span;
  const uint row = group() / parts;
  if (row >= n_rows) return;  // the whole workgroup
  const uint first = group() % parts * span;
  const uint last = min(columns, first + span);
  const uint from = x_at + row * x_stride;
  float highest = -kInfinity;
  uint column = kNone;
  for (uint i = first + lane(); i < last; i += WG) {
    const uint c = CHOOSES != 0 ? best[choices_at + row * columns + i] : i;
    if (c == kNone) continue;
    const float value = c == kBroken ? 0.0 : x[from + c];
    if (c == kBroken || is_broken(value)) {
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
  if (lane() != 0) return;
  const bool is_none = IS_LAST != 0 && column_of_lane[0] == kNone;
  best[best_at + group()] = is_none ? kBroken : column_of_lane[0];
}
