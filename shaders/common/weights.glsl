// A weight matrix in the device's layout: rows of units of 32 weights, in up to four planes, each of them 16-byte aligned
// rows of words (engine/device/vulkan/matrix_layout.h). Plane 0 has the low bits of the codes, plane 1 the high ones, plane 2
// the scales of sub-blocks, plane 3 those of blocks. Codes of a unit are in order, the first in the lowest bits.
#include "../common/math.glsl"

layout(constant_id = 1) const uint WEIGHT_TYPE = 0;  // its number in GGUF files

layout(binding = 0) readonly buffer WeightWords { uint weight_words[]; };
layout(binding = 0) readonly buffer WeightVectors { uvec4 weight_vectors[]; };

/// Where a row's planes begin, in words.
#define WEIGHT_PUSH uvec4 plane_at; uvec4 plane_stride;
uvec4 planes_of(uvec4 plane_at, uvec4 plane_stride, uint row) { return plane_at + row * plane_stride; }

/// The i-th 16 bits, or byte, of a row of a plane.
uint half_word(uint plane, uint i) { return weight_words[plane + i / 2] >> (16 * (i & 1)) & 0xFFFFu; }
uint byte_of(uint plane, uint i) { return weight_words[plane + i / 4] >> (8 * (i & 3)) & 0xFFu; }

vec4 four_nibbles(uint v) { return vec4(v & 15, v >> 4 & 15, v >> 8 & 15, v >> 12 & 15); }
vec4 four_pairs(uint v) { return vec4(v & 3, v >> 2 & 3, v >> 4 & 3, v >> 6 & 3); }
vec4 four_bits(uint v) { return vec4(v & 1, v >> 1 & 1, v >> 2 & 1, v >> 3 & 1); }

void read_nibbles(uvec4 row, uint unit, out vec4 w[8]) {
  const uvec4 v = weight_vectors[row.x / 4 + unit];
  [[unroll]] for (uint i = 0; i < 4; ++i) {
    w[2 * i] = four_nibbles(v[i]);
    w[2 * i + 1] = four_nibbles(v[i] >> 16);
  }
}

void read_pairs(uvec4 row, uint unit, out vec4 w[8]) {
  [[unroll]] for (uint i = 0; i < 2; ++i) {
    const uint v = weight_words[row.x + 2 * unit + i];
    [[unroll]] for (uint j = 0; j < 4; ++j) w[4 * i + j] = four_pairs(v >> (8 * j));
  }
}

/// Adds `factor` times the bit that plane 1 has for each weight.
void add_high_bits(uvec4 row, uint unit, float factor, inout vec4 w[8]) {
  const uint v = weight_words[row.y + unit];
  [[unroll]] for (uint j = 0; j < 8; ++j) w[j] += factor * four_bits(v >> (4 * j));
}

void add_high_pairs(uvec4 row, uint unit, float factor, inout vec4 w[8]) {
  [[unroll]] for (uint i = 0; i < 2; ++i) {
    const uint v = weight_words[row.y + 2 * unit + i];
    [[unroll]] for (uint j = 0; j < 4; ++j) w[4 * i + j] += factor * four_pairs(v >> (8 * j));
  }
}

/// w = scale w + offset
void scale_unit(float scale, float offset, inout vec4 w[8]) {
  [[unroll]] for (uint j = 0; j < 8; ++j) w[j] = scale * w[j] + offset;
}

/// The same for the two halves of a unit.
void scale_halves(vec2 scale, vec2 offset, inout vec4 w[8]) {
  [[unroll]] for (uint j = 0; j < 4; ++j) {
    w[j] = scale.x * w[j] + offset.x;
    w[j + 4] = scale.y * w[j + 4] + offset.y;
  }
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

/// The 32 weights of a unit of a row, whose planes begin at `row`.
void read_unit(uvec4 row, uint unit, out vec4 w[8]) {
  switch (WEIGHT_TYPE) {
    case 0: read_f32(row, unit, w); break;
    case 1: read_f16(row, unit, w); break;
    case 2: read_q4_0(row, unit, w); break;
    case 3: read_q4_1(row, unit, w); break;
    case 6: read_q5_0(row, unit, w); break;
    case 7: read_q5_1(row, unit, w); break;
    case 8: read_q8_0(row, unit, w); break;
    case 10: read_q2_k(row, unit, w); break;
    case 11: read_q3_k(row, unit, w); break;
    case 12: read_q4_k(row, unit, w); break;
    case 13: read_q5_k(row, unit, w); break;
    case 14: read_q6_k(row, unit, w); break;
    case 20: read_iq4_nl(row, unit, w); break;
    case 23: read_iq4_xs(row, unit, w); break;
    case 30: read_bf16(row, unit, w); break;
    case 39: read_mxfp4(row, unit, w); break;
  }
}
