// Rows of x in half precision, as gemm_matrix.comp takes them: once, instead of in every workgroup that reads them. An invocation per
// vector of eight. Rows end with zeros up to the next multiple of the longest step of gemm_matrix.comp.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common/base.glsl"
#include "common/halves.glsl"

layout(constant_id = 1) const uint ALIGNED = 0;  // rows of x begin at multiples of four, and have whole units

layout(binding = 0) readonly buffer In { float x[]; };
layout(binding = 0) readonly buffer InVectors { vec4 x_vectors[]; };
layout(binding = 1) writeonly buffer Out { uvec4 y[]; };

layout(push_constant) uniform Push {
  uint n_rows, columns;
  uint x_at, x_stride;
  uint y_stride;  // in vectors
};

void main() {
  const uint row = invocation() / y_stride;
  const uint c = invocation() % y_stride * 8;
  if (row >= n_rows) return;
  const uint at = x_at + row * x_stride + c;
  vec4 v[2] = vec4[](vec4(0.0), vec4(0.0));
  if (ALIGNED != 0) {
    if (c < columns) v = vec4[](x_vectors[at / 4], x_vectors[at / 4 + 1]);
  } else {
    [[unroll]] for (uint j = 0; j < 8; ++j) {
      if (c + j < columns) v[j / 4][j & 3] = x[at + j];
    }
  }
  y[invocation()] = eight_halves(v[0], v[1]);
}
