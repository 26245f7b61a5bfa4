// Q8_0: d q. Plane 0: signed bytes; plane 3: d.
void read_q8_0(uvec4 row, uint unit, out vec4 w[8]) {
  [[unroll]] for (uint i = 0; i < 2; ++i) {
    const uvec4 v = weight_vectors[row.x / 4 + 2 * unit + i];
    [[unroll]] for (uint j = 0; j < 4; ++j) {
      const int b = int(v[j]);
      w[4 * i + j] = vec4(b << 24 >> 24, b << 16 >> 24, b << 8 >> 24, b >> 24);
    }
  }
  scale_unit(f16(half_word(row.w, unit)), 0.0, w);
}
