// Q3_K: d (scale - 32) (q - 4), by 16. Plane 0: pairs of bits; plane 1: third bits; plane 2: twelve bytes with the scales
// (kernels/quant_blocks.h) per 256 weights; plane 3: d.
void load_q3_k(uvec4 row, uint unit, inout RawUnit raw) {
  load_pairs(row, unit, raw);
  load_high_bits(row, unit, raw);
  const uint plane = row.z + 3 * (unit / 8);
  raw.scales.xyz = uvec3(weight_words[plane], weight_words[plane + 1], weight_words[plane + 2]);
  raw.block = half_word(row.w, unit / 8);
}

float q3_k_scale(uvec4 scales, uint sub_block) {
  const uint four = (sub_block & 4) != 0 ? scales.y : scales.x;
  const uint low = four >> (8 * (sub_block & 3) + (sub_block < 8 ? 0 : 4)) & 15;
  const uint high = scales.z >> (8 * (sub_block & 3) + 2 * (sub_block / 4)) & 3;
  return float(low | high << 4) - 32.0;
}

void read_q3_k(RawUnit raw, inout Codes codes) {
  read_pairs(raw, codes);
  add_high_bits(raw, 2, codes);
  const uint sub_block = 2 * (raw.unit & 7);
  codes.scale = f16(raw.block) * vec2(q3_k_scale(raw.scales, sub_block), q3_k_scale(raw.scales, sub_block + 1));
  codes.offset = -4.0 * codes.scale;
}
