// Q5_K: as Q4_K, with fifth bits in plane 1.
void read_q5_k(uvec4 row, uint unit, inout Codes codes) {
  read_nibbles(row, unit, codes);
  add_high_bits(row, unit, 4, codes);
  const vec2 s = unit_scale_and_min(row, unit);
  set_scale(s.x, s.y, codes);
}
