// Q6_K: d scale (q - 32), by 16. Plane 0: nibbles; plane 1: the upper pairs of bits; plane 2: a signed byte of scale per 16;
// plane 3: d.
void read_q6_k(uvec4 row, uint unit, out vec4 w[8]) {
  read_nibbles(row, unit, w);
  add_high_pairs(row, unit, 16.0, w);
  const int both = int(half_word(row.z, unit));
  const vec2 scale = f16(half_word(row.w, unit / 8)) * vec2(both << 24 >> 24, both << 16 >> 24);
  scale_halves(scale, -32.0 * scale, w);
}
