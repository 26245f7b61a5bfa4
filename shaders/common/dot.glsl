// The dot product of four signed bytes with four: SPIR-V's OpSDot, which this GLSL has no name for.
#extension GL_EXT_spirv_intrinsics : require

spirv_instruction(extensions = ["SPV_KHR_integer_dot_product"], capabilities = [6018, 6019], id = 4450)
int dot_of_bytes(uint a, uint b, spirv_literal int packed_format);

const int kPacked4x8 = 0;

/// Whether the halves of a unit have scales of their own: Q2_K, Q3_K, Q6_K. Else their sums are one.
const bool kHasHalves = WEIGHT_TYPE == 10 || WEIGHT_TYPE == 11 || WEIGHT_TYPE == 14;

/// Of a unit's weights with a unit of x as bytes.glsl says: four words of codes are half a unit. `x_scale` has the scale of x, and
/// the sums of its two halves.
float product_of_codes(uint w[8], vec4 scale_and_offset, uint q[8], vec4 x_scale) {
  ivec2 sum = ivec2(0);
  [[unroll]] for (uint j = 0; j < 4; ++j) {
    sum.x += dot_of_bytes(w[j], q[j], kPacked4x8);
    sum.y += dot_of_bytes(w[j + 4], q[j + 4], kPacked4x8);
  }
  if (!kHasHalves) {
    return x_scale.x * scale_and_offset.x * float(sum.x + sum.y) + scale_and_offset.z * (x_scale.y + x_scale.z);
  }
  return x_scale.x * dot(scale_and_offset.xy, vec2(sum)) + dot(scale_and_offset.zw, x_scale.yz);
}
