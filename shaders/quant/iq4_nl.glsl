// IQ4_NL: d times one of sixteen values. Plane 0: nibbles; plane 3: d.
const int kIq4Values[16] = int[](-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113);

/// The values of four nibbles, each in a byte, as bytes.
uint four_iq4_values(uint v) {
  uint bytes = 0;
  [[unroll]] for (int k = 0; k < 32; k += 8) bytes |= uint(kIq4Values[v >> k & 15] & 255) << k;
  return bytes;
}

void read_iq4_values(RawUnit raw, inout Codes codes) {
  read_nibbles(raw, codes);
  [[unroll]] for (uint j = 0; j < 8; ++j) codes.bytes[j] = four_iq4_values(codes.bytes[j]);
}

void load_iq4_nl(uvec4 row, uint unit, inout RawUnit raw) {
  load_nibbles(row, unit, raw);
  raw.block = half_word(row.w, unit);
}

void read_iq4_nl(RawUnit raw, inout Codes codes) {
  read_iq4_values(raw, codes);
  set_scale(f16(raw.block), 0.0, codes);
}
