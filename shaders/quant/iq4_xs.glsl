// IQ4_XS: d (scale - 32) times one of the values of IQ4_NL, by 32. Plane 0: nibbles; plane 2: d, the upper bits of the
// scales (a pair each) and their lower ones (a nibble each) per 256 weights.
void read_iq4_xs(uvec4 row, uint unit, inout Codes codes) {
  read_iq4_values(row, unit, codes);
  const uint first = weight_words[row.z + 2 * (unit / 8)];
  const uint low = weight_words[row.z + 2 * (unit / 8) + 1] >> (4 * (unit & 7)) & 15;
  const uint high = first >> (16 + 2 * (unit & 7)) & 3;
  set_scale(f16(first) * (float(low | high << 4) - 32.0), 0.0, codes);
}
