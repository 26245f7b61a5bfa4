// Q8_0: d q. Plane 0: signed bytes, as Codes has them; plane 3: d.
void read_q8_0(uvec4 row, uint unit, inout Codes codes) {
  [[unroll]] for (uint i = 0; i < 2; ++i) {
    const uvec4 v = weight_vectors[row.x / 4 + 2 * unit + i];
    [[unroll]] for (uint j = 0; j < 4; ++j) codes.bytes[4 * i + j] = v[j];
  }
  set_scale(f16(half_word(row.w, unit)), 0.0, codes);
}
