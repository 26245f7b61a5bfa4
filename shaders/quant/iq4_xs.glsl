// IQ4_XS: d (scale - 32) times one of the values of IQ4_NL, by 32. Plane 0: nibbles; plane 2: d, the upper bits of the
// scales (a pair each) and their lower ones (a nibble each) per 256 weights.
void load_iq4_xs(uvec4 row, uint unit, inout RawUnit raw) {
  load_nibbles(row, unit, raw);
  raw.scales.xy = weight_pairs[row.z / 2 + unit / 8];
}

void read_iq4_xs(RawUnit raw, inout Codes codes) {
  read_iq4_values(raw, codes);
  const uint low = raw.scales.y >> (4 * (raw.unit & 7)) & 15;
  const uint high = raw.scales.x >> (16 + 2 * (raw.unit & 7)) & 3;
  set_scale(f16(raw.scales.x) * (float(low | high << 4) - 32.0), 0.0, codes);
}
