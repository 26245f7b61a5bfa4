// Q8_0: d q. Plane 0: signed bytes, as Codes has them; plane 3: d.
void load_q8_0(uvec4 row, uint unit, inout RawUnit raw) {
  load_floats(row, unit, 2, raw);
  raw.block = half_word(row.w, unit);
}

void read_q8_0(RawUnit raw, inout Codes codes) {
  [[unroll]] for (uint i = 0; i < 2; ++i) {
    const uvec4 v = raw.low[i];
    [[unroll]] for (uint j = 0; j < 4; ++j) codes.bytes[4 * i + j] = v[j];
  }
  set_scale(f16(raw.block), 0.0, codes);
}
