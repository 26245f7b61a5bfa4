// Q6_K: d scale (q - 32), by 16. Plane 0: nibbles; plane 1: the upper pairs of bits; plane 2: a signed byte of scale per 16;
// plane 3: d.
void load_q6_k(uvec4 row, uint unit, inout RawUnit raw) {
  load_nibbles(row, unit, raw);
  raw.high = weight_pairs[row.y / 2 + unit];
  raw.scales.x = half_word(row.z, unit);
  raw.block = half_word(row.w, unit / 8);
}

void read_q6_k(RawUnit raw, inout Codes codes) {
  read_nibbles(raw, codes);
  add_high_pairs(raw, codes);
  const int both = int(raw.scales.x);
  codes.scale = f16(raw.block) * vec2(both << 24 >> 24, both << 16 >> 24);
  codes.offset = -32.0 * codes.scale;
}
