// Q4_0: d (q - 8). Plane 0: nibbles; plane 3: d.
void read_q4_0(uvec4 row, uint unit, inout Codes codes) {
  read_nibbles(row, unit, codes);
  const float d = f16(half_word(row.w, unit));
  set_scale(d, -8.0 * d, codes);
}
