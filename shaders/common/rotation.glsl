// Rotary position embedding. A frequency is a part of a turn per position as 64 bits after the point, so that the product with any
// position is exact to 2^-32 of a turn. Needs math.glsl and step.glsl.
#define ROTATION_PUSH                                                                 \
  uint n_pairs;                                                                       \
  uint table_at;           /* frequencies in the step's words: high and low word */   \
  uint between, distance;  /* from a pair to the next, from its first to its second */ \
  float magnitude;

/// Cosine and sine of the angle of a pair in a row, for these frequencies.
vec2 turn_of(uint row, uint at) {
  const uint position = step_row(row).position;
  uint carried, unused;
  umulExtended(position, step_words[at + 1], carried, unused);
  return turn(position * step_words[at] + carried);
}

vec2 rotated_by(vec2 v, vec2 t) { return vec2(v.x * t.x - v.y * t.y, v.x * t.y + v.y * t.x); }

#define rotate(v, row, pair) rotated_by(v, magnitude * turn_of(row, table_at + 2 * (pair)))
