// Products of units of 32 in floats, as few columns of x need them. dot_unit.glsl has the same in integers.
layout(constant_id = 4) const uint ALIGNED = 0;  // rows of x begin at multiples of four, and have whole units
layout(constant_id = 7) const uint STAGED = 0;   // x goes through shared memory, where it is aligned and one row
const bool kIsStaged = STAGED != 0 && ALIGNED != 0 && COLUMNS == 1;
const uint kStage = kIsStaged ? WG * 9 : 1;

layout(binding = 1) readonly buffer In { float x[]; };
layout(binding = 1) readonly buffer InVectors { vec4 x_vectors[]; };

shared vec4 x_stage[kStage];  // eight vectors of a unit and one, so that lanes read from different banks

struct WeightUnit {
  vec4 w[8];
};

struct InputUnit {
  vec4 v[8];
};

void read_weights(RawUnit raw, out WeightUnit weights) { read_unit(raw, weights.w); }

/// The next WG units of x from `base` on, of `units` in a row: lanes that follow each other read what does, which of a unit of
/// 128 bytes each they would not. All invocations call it.
void stage_input(uint at, uint base, uint units) {
  if (!kIsStaged) return;
  barrier();  // they are done with the units before
  [[unroll]] for (uint i = 0; i < 8; ++i) {
    const uint vector = i * WG + lane();
    x_stage[vector / 8 * 9 + vector % 8] = x_vectors[at / 4 + min(8 * base + vector, 8 * units - 1)];
  }
  barrier();
}

/// 32 elements of a row of x that begins at `at`; zeros past its end.
void read_input(uint at, uint unit, out InputUnit unit_of_x) {
  if (kIsStaged) {
    [[unroll]] for (uint j = 0; j < 8; ++j) unit_of_x.v[j] = x_stage[lane() * 9 + j];
    return;
  }
  if (ALIGNED != 0) {
    [[unroll]] for (uint j = 0; j < 8; ++j) unit_of_x.v[j] = x_vectors[at / 4 + 8 * unit + j];
    return;
  }
  const uint first = at + 32 * unit;
  if (32 * unit + 32 <= columns) {
    [[unroll]] for (uint j = 0; j < 8; ++j) {
      const uint k = first + 4 * j;
      unit_of_x.v[j] = vec4(x[k], x[k + 1], x[k + 2], x[k + 3]);
    }
    return;
  }
  for (uint j = 0; j < 8; ++j) unit_of_x.v[j] = vec4(0.0);
  for (uint j = 0; 32 * unit + j < columns; ++j) unit_of_x.v[j / 4][j & 3] = x[first + j];
}

float product(WeightUnit a, InputUnit b) {
  vec4 s = a.w[0] * b.v[0];
  [[unroll]] for (uint j = 1; j < 8; ++j) s += a.w[j] * b.v[j];
  return (s.x + s.y) + (s.z + s.w);
}
