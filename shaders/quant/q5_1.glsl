// Q5_1: d q + m. Plane 0: nibbles; plane 1: fifth bits; plane 3: d, m.
void load_q5_1(uvec4 row, uint unit, inout RawUnit raw) {
  load_nibbles(row, unit, raw);
  load_high_bits(row, unit, raw);
  raw.block = weight_words[row.w + unit];
}

void read_q5_1(RawUnit raw, inout Codes codes) {
  read_nibbles(raw, codes);
  add_high_bits(raw, 4, codes);
  set_scale(f16(raw.block), f16(raw.block >> 16), codes);
}
