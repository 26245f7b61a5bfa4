// The eight pairs of 6-bit numbers of Q4_K and Q5_K: plane 2 has d, dmin and the twelve bytes of scales per 256 weights.

/// Scale and offset of a unit.
vec2 unit_scale_and_min(uvec4 row, uint unit) {
  const uvec4 v = weight_vectors[row.z / 4 + unit / 8];
  const uint shift = 8 * (unit & 3);
  const uint a = v.y >> shift;
  const uint b = v.z >> shift;
  const uint c = v.w >> shift;
  uint scale = a & 63;
  uint min = b & 63;
  if ((unit & 4) != 0) {
    scale = (c & 15) | (a >> 2 & 48);
    min = (c >> 4 & 15) | (b >> 2 & 48);
  }
  return vec2(f16(v.x) * float(scale), -f16(v.x >> 16) * float(min));
}
