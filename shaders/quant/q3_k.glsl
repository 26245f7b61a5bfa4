// Q3_K: d (scale - 32) (q - 4), by 16. Plane 0: pairs of bits; plane 1: third bits; plane 2: twelve bytes with the scales
// (kernels/quant_blocks.h) per 256 weights; plane 3: d.
float q3_k_scale(uint plane, uint sub_block) {
  const uint low = byte_of(plane, sub_block & 7) >> (sub_block < 8 ? 0 : 4) & 15;
  const uint high = byte_of(plane, 8 + (sub_block & 3)) >> (2 * (sub_block / 4)) & 3;
  return float(low | high << 4) - 32.0;
}

void read_q3_k(uvec4 row, uint unit, inout Codes codes) {
  read_pairs(row, unit, codes);
  add_high_bits(row, unit, 2, codes);
  const uint plane = row.z + 3 * (unit / 8);
  const uint sub_block = 2 * (unit & 7);
  codes.scale = f16(half_word(row.w, unit / 8)) * vec2(q3_k_scale(plane, sub_block), q3_k_scale(plane, sub_block + 1));
  codes.offset = -4.0 * codes.scale;
}
