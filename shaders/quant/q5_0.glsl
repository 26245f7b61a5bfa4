// Q5_0: d (q - 16). Plane 0: nibbles; plane 1: fifth bits; plane 3: d.
void load_q5_0(uvec4 row, uint unit, inout RawUnit raw) {
  load_nibbles(row, unit, raw);
  load_high_bits(row, unit, raw);
  raw.block = half_word(row.w, unit);
}

void read_q5_0(RawUnit raw, inout Codes codes) {
  read_nibbles(raw, codes);
  add_high_bits(raw, 4, codes);
  const float d = f16(raw.block);
  set_scale(d, -16.0 * d, codes);
}
