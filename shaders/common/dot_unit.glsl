// Products of units of 32 in integers: x is what bytes.glsl says, a row of it `columns` / 32 units.
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

void read_weights(RawUnit raw, out WeightUnit weights) { read_codes(raw, weights.codes); }

void stage_input(uint at, uint base, uint units) {}

/// A unit of a row of x that begins at unit `at` of all.
void read_input(uint at, uint unit, out InputUnit unit_of_x) {
  const uvec4 low = x_codes[at + unit];
  const uvec4 high = x_codes[scales_at / 2 + at + unit];
  [[unroll]] for (uint j = 0; j < 4; ++j) {
    unit_of_x.q[j] = low[j];
    unit_of_x.q[j + 4] = high[j];
  }
  unit_of_x.scale = x_scales[scales_at + at + unit];
}

float product(WeightUnit a, InputUnit b) {
  return product_of_codes(a.codes.bytes, vec4(a.codes.scale, a.codes.offset), b.q, b.scale);
}
