// Q5_K: as Q4_K, with fifth bits in plane 1.
void read_q5_k(uvec4 row, uint unit, out vec4 w[8]) {
  read_nibbles(row, unit, w);
  add_high_bits(row, unit, 16.0, w);
  const vec2 s = unit_scale_and_min(row, unit);
  scale_unit(s.x, s.y, w);
}
