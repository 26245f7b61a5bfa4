// Q4_1: d q + m. Plane 0: nibbles; plane 3: d, m.
void read_q4_1(uvec4 row, uint unit, out vec4 w[8]) {
  read_nibbles(row, unit, w);
  const uint dm = weight_words[row.w + unit];
  scale_unit(f16(dm), f16(dm >> 16), w);
}
