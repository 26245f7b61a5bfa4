// Q6_K: d scale (q - 32), by 16. Plane 0: nibbles; plane 1: the upper pairs of bits; plane 2: a signed byte of scale per 16;
// plane 3: d.
void read_q6_k(uvec4 row, uint unit, inout Codes codes) {
  read_nibbles(row, unit, codes);
  add_high_pairs(row, unit, codes);
  const int both = int(half_word(row.z, unit));
  codes.scale = f16(half_word(row.w, unit / 8)) * vec2(both << 24 >> 24, both << 16 >> 24);
  codes.offset = -32.0 * codes.scale;
}
