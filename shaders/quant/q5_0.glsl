// Q5_0: d (q - 16). Plane 0: nibbles; plane 1: fifth bits; plane 3: d.
void read_q5_0(uvec4 row, uint unit, out vec4 w[8]) {
  read_nibbles(row, unit, w);
  add_high_bits(row, unit, 16.0, w);
  const float d = f16(half_word(row.w, unit));
  scale_unit(d, -16.0 * d, w);
}
