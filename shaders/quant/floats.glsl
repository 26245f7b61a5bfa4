// F32, F16, BF16: elements as they are, in plane 0.
void load_floats(uvec4 row, uint unit, uint vectors, inout RawUnit raw) {
  [[unroll]] for (uint i = 0; i < 8; ++i) {
    if (i < vectors) raw.low[i] = weight_vectors[row.x / 4 + vectors * unit + i];
  }
}

void read_f32(RawUnit raw, out vec4 w[8]) {
  [[unroll]] for (uint j = 0; j < 8; ++j) w[j] = uintBitsToFloat(raw.low[j]);
}

void read_f16(RawUnit raw, out vec4 w[8]) {
  [[unroll]] for (uint i = 0; i < 4; ++i) {
    const uvec4 v = raw.low[i];
    w[2 * i] = vec4(f16(v.x), f16(v.x >> 16), f16(v.y), f16(v.y >> 16));
    w[2 * i + 1] = vec4(f16(v.z), f16(v.z >> 16), f16(v.w), f16(v.w >> 16));
  }
}

void read_bf16(RawUnit raw, out vec4 w[8]) {
  [[unroll]] for (uint i = 0; i < 4; ++i) {
    const uvec4 v = raw.low[i];
    const uvec4 low = v << 16;
    const uvec4 high = v & 0xFFFF0000u;
    w[2 * i] = uintBitsToFloat(uvec4(low.x, high.x, low.y, high.y));
    w[2 * i + 1] = uintBitsToFloat(uvec4(low.z, high.z, low.w, high.w));
  }
}
