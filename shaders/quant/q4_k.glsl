// Q4_K: d scale q - dmin min, by 32. Plane 0: nibbles; plane 2: k_scales.glsl.
void read_q4_k(uvec4 row, uint unit, inout Codes codes) {
  read_nibbles(row, unit, codes);
  const vec2 s = unit_scale_and_min(row, unit);
  set_scale(s.x, s.y, codes);
}
