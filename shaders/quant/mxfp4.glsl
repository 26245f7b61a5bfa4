// MXFP4: 2^(e - 127) times a 4-bit float. Plane 0: nibbles; plane 3: a byte e per 32 weights, 255 for NaN.
const int kE2M1Doubled[16] = int[](0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12);

/// Twice the values of four nibbles, each in a byte, as bytes.
uint four_e2m1(uint v) {
  uint bytes = 0;
  [[unroll]] for (int k = 0; k < 32; k += 8) bytes |= uint(kE2M1Doubled[v >> k & 15] & 255) << k;
  return bytes;
}

void load_mxfp4(uvec4 row, uint unit, inout RawUnit raw) {
  load_nibbles(row, unit, raw);
  raw.block = byte_of(row.w, unit);
}

void read_mxfp4(RawUnit raw, inout Codes codes) {
  read_nibbles(raw, codes);
  [[unroll]] for (uint j = 0; j < 8; ++j) codes.bytes[j] = four_e2m1(codes.bytes[j]);
  const uint e = raw.block;
  // Half of the scale, as the values are doubled; the smallest two are below the normal numbers.
  const uint bits = e == 255 ? 0x7FC00000u : e < 2 ? 0x00200000u << e : (e - 1) << 23;
  set_scale(uintBitsToFloat(bits), 0.0, codes);
}
