// Products of units of 32 in integers: x is what quantise.comp left, a row of it `columns` / 32 units.
#include "dot.glsl"

layout(binding = 1) readonly buffer In { uvec4 x_codes[]; };
layout(binding = 1) readonly buffer InScales { vec4 x_scales[]; };

struct WeightUnit {
  Codes codes;
};

struct InputUnit {
  uint q[8];
  vec4 scale;
};

void read_weights(uvec4 row, uint unit, out WeightUnit weights) { read_codes(row, unit, weights.codes); }

/// A unit of a row of x that begins at unit `at` of all.
void read_input(uint at, uint unit, out InputUnit unit_of_x) {
  const uvec4 low = x_codes[2 * (at + unit)];
  const uvec4 high = x_codes[2 * (at + unit) + 1];
  [[unroll]] for (uint j = 0; j < 4; ++j) {
    unit_of_x.q[j] = low[j];
    unit_of_x.q[j + 4] = high[j];
  }
  unit_of_x.scale = x_scales[scales_at + at + unit];
}

float product(WeightUnit a, InputUnit b) {
  return product_of_codes(a.codes.bytes, vec4(a.codes.scale, a.codes.offset), b.q, b.scale);
}
