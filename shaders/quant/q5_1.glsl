// Q5_1: d q + m. Plane 0: nibbles; plane 1: fifth bits; plane 3: d, m.
void read_q5_1(uvec4 row, uint unit, inout Codes codes) {
  read_nibbles(row, unit, codes);
  add_high_bits(row, unit, 4, codes);
  const uint dm = weight_words[row.w + unit];
  set_scale(f16(dm), f16(dm >> 16), codes);
}
