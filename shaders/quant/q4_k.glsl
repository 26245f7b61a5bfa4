// Q4_K: d scale q - dmin min, by 32. Plane 0: nibbles; plane 2: k_scales.glsl.
void load_q4_k(uvec4 row, uint unit, inout RawUnit raw) {
  load_nibbles(row, unit, raw);
  load_k_scales(row, unit, raw);
}

void read_q4_k(RawUnit raw, inout Codes codes) {
  read_nibbles(raw, codes);
  const vec2 s = unit_scale_and_min(raw);
  set_scale(s.x, s.y, codes);
}
