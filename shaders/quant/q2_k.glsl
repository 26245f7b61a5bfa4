// Q2_K: d scale q - dmin min, by 16. Plane 0: pairs of bits; plane 2: scale and min, a nibble each; plane 3: d, dmin.
void load_q2_k(uvec4 row, uint unit, inout RawUnit raw) {
  load_pairs(row, unit, raw);
  raw.scales.x = half_word(row.z, unit);
  raw.block = weight_words[row.w + unit / 8];
}

void read_q2_k(RawUnit raw, inout Codes codes) {
  read_pairs(raw, codes);
  const uint both = raw.scales.x;
  codes.scale = f16(raw.block) * vec2(both & 15, both >> 8 & 15);
  codes.offset = -f16(raw.block >> 16) * vec2(both >> 4 & 15, both >> 12);
}
