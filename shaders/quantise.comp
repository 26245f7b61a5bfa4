// Rows of x as signed bytes, for products in integers: x is about d q in each unit of 32, with the largest |q| at 127. An invocation
// per unit. The bytes are the same on every device: Vulkan lets a division be inexact, so what x is multiplied by
// comes of a division of integers.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common/base.glsl"

layout(binding = 0) readonly buffer In { float x[]; };
layout(binding = 1) writeonly buffer Out { uvec4 y[]; };  // two vectors of bytes per unit, in the order of Codes; then one of scales

layout(push_constant) uniform Push {
  uint n_rows, columns;
  uint x_at, x_stride;
  uint scales_at;  // in vectors: of d, d times the sum of the first 16 bytes, and of the others
};

/// About 127 over the number with these bits, and never more. The upper 16 bits of its mantissa, rounded up, divide a
/// power of two times 127: the quotient has 16 or 17 bits.
float inverse_scale(uint bits) {
  const uint mantissa = (0x800000u | (bits & 0x7FFFFFu)) + 255u >> 8;
  const int exponent = 117 - int(bits >> 23);
  return uintBitsToFloat(uint(int(floatBitsToUint(float(0xFE000000u / mantissa))) + (exponent << 23)));
}

void main() {
  const uint units = (columns + 31) / 32;
  const uint row = invocation() / units;
  const uint unit = invocation() % units;
  if (row >= n_rows) return;
  const uint first = x_at + row * x_stride + 32 * unit;
  float v[32];
  uint highest = 0;  // of the bits without sign: as integers they have the order of the numbers
  [[unroll]] for (uint j = 0; j < 32; ++j) {
    v[j] = 32 * unit + j < columns ? x[first + j] : 0.0;
    highest = max(highest, floatBitsToUint(v[j]) & 0x7FFFFFFFu);
  }
  const uint kTiny = 0x08000000u;  // 2^-111: units of less are taken for zeros
  const bool is_number = highest < 0x7F800000u;
  const float inverse = is_number && highest >= kTiny ? inverse_scale(highest) : 0.0;
  float scale = inverse > 0.0 ? 1.0 / inverse : 0.0;
  if (!is_number) scale = uintBitsToFloat(0x7FC00000u);
  uint words[8];
  ivec2 sum = ivec2(0);
  [[unroll]] for (uint i = 0; i < 8; ++i) {
    words[i] = 0;
    [[unroll]] for (uint k = 0; k < 4; ++k) {
      const float value = v[8 * (i / 2) + 2 * k + (i & 1)];
      const int q = inverse > 0.0 ? int(roundEven(value * inverse)) : 0;
      words[i] |= uint(q & 255) << (8 * k);
      sum[i / 4] += q;
    }
  }
  const uint to = row * units + unit;
  y[2 * to] = uvec4(words[0], words[1], words[2], words[3]);
  y[2 * to + 1] = uvec4(words[4], words[5], words[6], words[7]);
  y[scales_at + to] = floatBitsToUint(vec4(scale, scale * vec2(sum), 0.0));
}
