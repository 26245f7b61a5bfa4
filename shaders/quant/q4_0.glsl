// Q4_0: d (q - 8). Plane 0: nibbles; plane 3: d.
void load_q4_0(uvec4 row, uint unit, inout RawUnit raw) {
  load_nibbles(row, unit, raw);
  raw.block = half_word(row.w, unit);
}

void read_q4_0(RawUnit raw, inout Codes codes) {
  read_nibbles(raw, codes);
  const float d = f16(raw.block);
  set_scale(d, -8.0 * d, codes);
}
