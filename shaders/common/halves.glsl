// Numbers in half precision, eight to a vector.

/// Of numbers that are below 65,520.
uvec4 eight_small_halves(vec4 a, vec4 b) {
  return uvec4(packHalf2x16(a.xy), packHalf2x16(a.zw), packHalf2x16(b.xy), packHalf2x16(b.zw));
}

vec4 cut_to_halves(vec4 v) { return mix(clamp(v, -65504.0, 65504.0), v, isnan(v)); }

/// What half precision cannot hold is cut to its largest number.
uvec4 eight_halves(vec4 a, vec4 b) { return eight_small_halves(cut_to_halves(a), cut_to_halves(b)); }
