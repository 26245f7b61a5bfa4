// Q4_0: d (q - 8). Plane 0: nibbles; plane 3: d.
void read_q4_0(uvec4 row, uint unit, out vec4 w[8]) {
  read_nibbles(row, unit, w);
  const float d = f16(half_word(row.w, unit));
  scale_unit(d, -8.0 * d, w);
}
