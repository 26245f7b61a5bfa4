// MXFP4: 2^(e - 127) times a 4-bit float. Plane 0: nibbles; plane 3: a byte e per 32 weights, 255 for NaN.
vec4 four_e2m1(uint v) {
  const uvec4 q = uvec4(v, v >> 4, v >> 8, v >> 12) & 15;
  // Twice the value: 0 1 2 3 4 6 8 12, then the same negative.
  const uvec4 exponent = q >> 1 & 3;
  const uvec4 mantissa = q & 1;
  const uvec4 twice = mix((2 | mantissa) << (max(exponent, uvec4(1)) - 1), mantissa, equal(exponent, uvec4(0)));
  return mix(vec4(twice), -vec4(twice), equal(q & 8, uvec4(8)));
}

void read_mxfp4(uvec4 row, uint unit, out vec4 w[8]) {
  const uvec4 v = weight_vectors[row.x / 4 + unit];
  [[unroll]] for (uint j = 0; j < 8; ++j) w[j] = four_e2m1(v[j / 2] >> (16 * (j & 1)));
  const uint e = byte_of(row.w, unit);
  // Half of the scale, as the values are doubled; the smallest two are below the normal numbers.
  const uint bits = e == 255 ? 0x7FC00000u : e < 2 ? 0x00200000u << e : (e - 1) << 23;
  scale_unit(uintBitsToFloat(bits), 0.0, w);
}
