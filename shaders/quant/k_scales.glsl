// The eight pairs of 6-bit numbers of Q4_K and Q5_K: plane 2 has d, dmin and the twelve bytes of scales per 256 weights.

void load_k_scales(uvec4 row, uint unit, inout RawUnit raw) { raw.scales = weight_vectors[row.z / 4 + unit / 8]; }

/// Scale and offset of a unit.
vec2 unit_scale_and_min(RawUnit raw) {
  const uvec4 v = raw.scales;
  const uint shift = 8 * (raw.unit & 3);
  const uint a = v.y >> shift;
  const uint b = v.z >> shift;
  const uint c = v.w >> shift;
  const bool is_late = (raw.unit & 4) != 0;
  const uint scale = is_late ? (c & 15) | (a >> 2 & 48) : a & 63;
  const uint min = is_late ? (c >> 4 & 15) | (b >> 2 & 48) : b & 63;
  return vec2(f16(v.x) * float(scale), -f16(v.x >> 16) * float(min));
}
