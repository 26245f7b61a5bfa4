// Q4_1: d q + m. Plane 0: nibbles; plane 3: d, m.
void load_q4_1(uvec4 row, uint unit, inout RawUnit raw) {
  load_nibbles(row, unit, raw);
  raw.block = weight_words[row.w + unit];
}

void read_q4_1(RawUnit raw, inout Codes codes) {
  read_nibbles(raw, codes);
  set_scale(f16(raw.block), f16(raw.block >> 16), codes);
}
