// Verbs that work element by element. In place is allowed.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common/base.glsl"
#include "common/math.glsl"

// The numbers of ElementwiseMode in engine/device/vulkan/row_verbs.cpp.
layout(constant_id = 1) const uint MODE = 0;
layout(constant_id = 2) const uint ACTIVATION = 0;  // of kernels/activation.h

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

float activate(float v) {
  switch (ACTIVATION) {
    case 0: return v / (1.0 + exp(-v));
    case 1: return 0.5 * v * (1.0 + tanh_exact(0.7978845608 * (v + 0.044715 * v * v * v)));
    case 2: return 0.5 * v * (1.0 + erf_exact(v * 0.7071067812));
    case 3: return max(v, 0.0);
    default: return max(v, 0.0) * max(v, 0.0);
  }
}

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
