// Q2_K: d scale q - dmin min, by 16. Plane 0: pairs of bits; plane 2: scale and min, a nibble each; plane 3: d, dmin.
void read_q2_k(uvec4 row, uint unit, inout Codes codes) {
  read_pairs(row, unit, codes);
  const uint both = half_word(row.z, unit);
  const uint dm = weight_words[row.w + unit / 8];
  codes.scale = f16(dm) * vec2(both & 15, both >> 8 & 15);
  codes.offset = -f16(dm >> 16) * vec2(both >> 4 & 15, both >> 12);
}
