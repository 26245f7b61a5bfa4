// Q5_0: d (q - 16). Plane 0: nibbles; plane 1: fifth bits; plane 3: d.
void read_q5_0(uvec4 row, uint unit, inout Codes codes) {
  read_nibbles(row, unit, codes);
  add_high_bits(row, unit, 4, codes);
  const float d = f16(half_word(row.w, unit));
  set_scale(d, -16.0 * d, codes);
}
