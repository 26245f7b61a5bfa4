// Verbs that work element by element. In place is allowed.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common/base.glsl"
#define ACTIVATION_CONSTANT 2
#include "common/math.glsl"
#include "common/activation.glsl"

// The numbers of ElementwiseMode in engine/device/vulkan/row_verbs.cpp.
layout(constant_id = 1) const uint MODE = 0;

layout(binding = 0) readonly buffer A { float a[]; };
layout(binding = 1) readonly buffer B { float b[]; };
layout(binding = 2) writeonly buffer Out { float y[]; };

layout(push_constant) uniform Push {
  uint n_rows, columns;
  uint a_at, a_stride;
  uint b_at, b_stride;  // stride 0: one row for all
  uint y_at, y_stride;
  float factor;
};

void main() {
  const uint row = invocation() / columns;
  const uint c = invocation() % columns;
  if (row >= n_rows) return;
  const float v = a[a_at + row * a_stride + c];
  const uint b_index = b_at + row * b_stride + c;
  float result = v;
  switch (MODE) {
    case 0: result = v + b[b_index]; break;
    case 1: result = v * factor; break;
    case 2: result = factor * tanh_exact(v / factor); break;
    case 3: result = activate(v); break;
    case 4: result = activate(v) * b[b_index]; break;
  }
  y[y_at + row * y_stride + c] = result;
}
