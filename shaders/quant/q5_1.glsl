// Q5_1: d q + m. Plane 0: nibbles; plane 1: fifth bits; plane 3: d, m.
void read_q5_1(uvec4 row, uint unit, out vec4 w[8]) {
  read_nibbles(row, unit, w);
  add_high_bits(row, unit, 16.0, w);
  const uint dm = weight_words[row.w + unit];
  scale_unit(f16(dm), f16(dm >> 16), w);
}
