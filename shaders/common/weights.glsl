// A weight matrix in the device's layout: rows of units of 32 weights, in up to four planes, each of them 16-byte aligned
// rows of words (engine/device/vulkan/matrix_layout.h). Plane 0 has the low bits of the codes, plane 1 the high ones, plane 2
// the scales of sub-blocks, plane 3 those of blocks. Codes of a unit are in order, the first in the lowest bits.
#include "../common/math.glsl"

layout(constant_id = 1) const uint WEIGHT_TYPE = 0;  // its number in GGUF files

layout(binding = 0) readonly buffer WeightWords { uint weight_words[]; };
layout(binding = 0) readonly buffer WeightPairs { uvec2 weight_pairs[]; };
layout(binding = 0) readonly buffer WeightVectors { uvec4 weight_vectors[]; };

/// Where a row's planes begin, in words.
#define WEIGHT_PUSH uvec4 plane_at; uvec4 plane_stride;

/// What products take: which rows of the matrix this slice has, the rows of x and of out. With DOT the address and stride of x are
/// units, and its scales lie further on, in vectors.
#define PRODUCT_PUSH \
  WEIGHT_PUSH \
  uint first_row, end_row; \
  uint columns; \
  uint x_at, x_stride; \
  uint y_at, y_stride; \
  uint n; \
  uint scales_at;

uvec4 planes_of(uvec4 plane_at, uvec4 plane_stride, uint row) { return plane_at + row * plane_stride; }

/// The i-th 16 bits, or byte, of a row of a plane.
uint half_word(uint plane, uint i) { return weight_words[plane + i / 2] >> (16 * (i & 1)) & 0xFFFFu; }
uint byte_of(uint plane, uint i) { return weight_words[plane + i / 4] >> (8 * (i & 3)) & 0xFFu; }

/// The halves of two words.
uvec4 four_halves(uvec2 v) { return uvec4(v.x & 0xFFFFu, v.x >> 16, v.y & 0xFFFFu, v.y >> 16); }

/// A unit of a quantised row: weight i is scale times its code plus offset, with one of both for each half of the unit. Codes are
/// signed bytes, of eight the even ones in one word and the odd ones in the next: so a mask takes them from nibbles.
struct Codes {
  uint bytes[8];
  vec2 scale;
  vec2 offset;
};

/// The nibbles of 16 bits, each in a byte.
uint spread_nibbles(uint v) {
  const uint pairs = (v | v << 8) & 0x00FF00FFu;
  return (pairs | pairs << 4) & 0x0F0F0F0Fu;
}

/// The pairs of 8 bits, each in a byte.
uint spread_pairs(uint v) {
  const uint nibbles = (v | v << 12) & 0x000F000Fu;
  return (nibbles | nibbles << 6) & 0x03030303u;
}

/// What is read of a unit, before anything is made of it: loads go together, and may be done long before their use.
struct RawUnit {
  uvec4 low[8];  // of plane 0: floats take all of them, nibbles the first, pairs of bits a half of that
  uvec2 high;    // of plane 1
  uvec4 scales;  // of plane 2
  uint block;    // of plane 3
  uint unit;
};

void load_nibbles(uvec4 row, uint unit, inout RawUnit raw) { raw.low[0] = weight_vectors[row.x / 4 + unit]; }
void load_pairs(uvec4 row, uint unit, inout RawUnit raw) { raw.low[0].xy = weight_pairs[row.x / 2 + unit]; }
void load_high_bits(uvec4 row, uint unit, inout RawUnit raw) { raw.high.x = weight_words[row.y + unit]; }

void read_nibbles(RawUnit raw, inout Codes codes) {
  [[unroll]] for (uint i = 0; i < 4; ++i) {
    codes.bytes[2 * i] = raw.low[0][i] & 0x0F0F0F0Fu;
    codes.bytes[2 * i + 1] = raw.low[0][i] >> 4 & 0x0F0F0F0Fu;
  }
}

void read_pairs(RawUnit raw, inout Codes codes) {
  const uvec4 four = four_halves(raw.low[0].xy);
  [[unroll]] for (uint i = 0; i < 4; ++i) {
    const uint v = spread_nibbles(four[i]);
    codes.bytes[2 * i] = v & 0x03030303u;
    codes.bytes[2 * i + 1] = v >> 2 & 0x03030303u;
  }
}

/// Puts the bit that plane 1 has for each weight at place `shift` of its code.
void add_high_bits(RawUnit raw, uint shift, inout Codes codes) {
  [[unroll]] for (uint i = 0; i < 4; ++i) {
    const uint v = spread_pairs(raw.high.x >> (8 * i) & 0xFFu);
    codes.bytes[2 * i] |= (v & 0x01010101u) << shift;
    codes.bytes[2 * i + 1] |= (v >> 1 & 0x01010101u) << shift;
  }
}

/// The same for the pair of bits that plane 1 has for each, above a nibble.
void add_high_pairs(RawUnit raw, inout Codes codes) {
  const uvec4 four = four_halves(raw.high);
  [[unroll]] for (uint i = 0; i < 4; ++i) {
    const uint v = spread_nibbles(four[i]);
    codes.bytes[2 * i] |= (v & 0x03030303u) << 4;
    codes.bytes[2 * i + 1] |= (v & 0x0C0C0C0Cu) << 2;
  }
}

/// One scale and one offset for the whole unit.
void set_scale(float scale, float offset, inout Codes codes) {
  codes.scale = vec2(scale);
  codes.offset = vec2(offset);
}

#include "../quant/floats.glsl"
#include "../quant/q4_0.glsl"
#include "../quant/q4_1.glsl"
#include "../quant/q5_0.glsl"
#include "../quant/q5_1.glsl"
#include "../quant/q8_0.glsl"
#include "../quant/k_scales.glsl"
#include "../quant/q2_k.glsl"
#include "../quant/q3_k.glsl"
#include "../quant/q4_k.glsl"
#include "../quant/q5_k.glsl"
#include "../quant/q6_k.glsl"
#include "../quant/iq4_nl.glsl"
#include "../quant/iq4_xs.glsl"
#include "../quant/mxfp4.glsl"

void load_unit(uvec4 row, uint unit, out RawUnit raw) {
  raw.unit = unit;
  switch (WEIGHT_TYPE) {
    case 0: load_floats(row, unit, 8, raw); break;
    case 1: load_floats(row, unit, 4, raw); break;
    case 30: load_floats(row, unit, 4, raw); break;
    case 2: load_q4_0(row, unit, raw); break;
    case 3: load_q4_1(row, unit, raw); break;
    case 6: load_q5_0(row, unit, raw); break;
    case 7: load_q5_1(row, unit, raw); break;
    case 8: load_q8_0(row, unit, raw); break;
    case 10: load_q2_k(row, unit, raw); break;
    case 11: load_q3_k(row, unit, raw); break;
    case 12: load_q4_k(row, unit, raw); break;
    case 13: load_q5_k(row, unit, raw); break;
    case 14: load_q6_k(row, unit, raw); break;
    case 20: load_iq4_nl(row, unit, raw); break;
    case 23: load_iq4_xs(row, unit, raw); break;
    case 39: load_mxfp4(row, unit, raw); break;
  }
}

void read_codes(RawUnit raw, out Codes codes) {
  switch (WEIGHT_TYPE) {
    case 2: read_q4_0(raw, codes); break;
    case 3: read_q4_1(raw, codes); break;
    case 6: read_q5_0(raw, codes); break;
    case 7: read_q5_1(raw, codes); break;
    case 8: read_q8_0(raw, codes); break;
    case 10: read_q2_k(raw, codes); break;
    case 11: read_q3_k(raw, codes); break;
    case 12: read_q4_k(raw, codes); break;
    case 13: read_q5_k(raw, codes); break;
    case 14: read_q6_k(raw, codes); break;
    case 20: read_iq4_nl(raw, codes); break;
    case 23: read_iq4_xs(raw, codes); break;
    case 39: read_mxfp4(raw, codes); break;
  }
}

/// Bytes 2 k and 2 k + 1 of two words of codes, in the order of the row.
vec4 four_codes(uint even, uint odd, int k) {
  const ivec2 v = ivec2(even, odd);
  return vec4(bitfieldExtract(v, 16 * k, 8), bitfieldExtract(v, 16 * k + 8, 8));
}

/// The 32 weights of a unit.
void read_unit(RawUnit raw, out vec4 w[8]) {
  switch (WEIGHT_TYPE) {
    case 0: read_f32(raw, w); return;
    case 1: read_f16(raw, w); return;
    case 30: read_bf16(raw, w); return;
  }
  Codes codes;
  read_codes(raw, codes);
  [[unroll]] for (uint i = 0; i < 8; ++i) {
    const vec4 v = four_codes(codes.bytes[i & 6], codes.bytes[i | 1], int(i & 1));
    w[i] = codes.scale[i / 4] * v + codes.offset[i / 4];
  }
}

/// Those of a row whose planes begin at `row`.
void read_unit(uvec4 row, uint unit, out vec4 w[8]) {
  RawUnit raw;
  load_unit(row, unit, raw);
  read_unit(raw, w);
}
