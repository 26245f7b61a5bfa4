// IQ4_NL: d times one of sixteen values. Plane 0: nibbles; plane 3: d.
const float kIq4Values[16] = float[](-127.0, -104.0, -83.0, -65.0, -49.0, -35.0, -22.0, -10.0, 1.0, 13.0, 25.0, 38.0, 53.0,
                                     69.0, 89.0, 113.0);

void read_iq4_values(uvec4 row, uint unit, out vec4 w[8]) {
  const uvec4 v = weight_vectors[row.x / 4 + unit];
  [[unroll]] for (uint j = 0; j < 8; ++j) {
    const uint q = v[j / 2] >> (16 * (j & 1));
    w[j] = vec4(kIq4Values[q & 15], kIq4Values[q >> 4 & 15], kIq4Values[q >> 8 & 15], kIq4Values[q >> 12 & 15]);
  }
}

void read_iq4_nl(uvec4 row, uint unit, out vec4 w[8]) {
  read_iq4_values(row, unit, w);
  scale_unit(f16(half_word(row.w, unit)), 0.0, w);
}
