// Q5_K: as Q4_K, with fifth bits in plane 1.
void load_q5_k(uvec4 row, uint unit, inout RawUnit raw) {
  load_nibbles(row, unit, raw);
  load_high_bits(row, unit, raw);
  load_k_scales(row, unit, raw);
}

void read_q5_k(RawUnit raw, inout Codes codes) {
  read_nibbles(raw, codes);
  add_high_bits(raw, 4, codes);
  const vec2 s = unit_scale_and_min(raw);
  set_scale(s.x, s.y, codes);
}
