// What becomes of a product (Device::Product): out = activation(product + bias), or it is added to what is there; each part where
// there is one. Shaders that include it have EPILOGUE_PUSH among their push constants.
#define ACTIVATION_CONSTANT 6
#include "activation.glsl"

layout(constant_id = 5) const uint EPILOGUE = 0;  // bits; the numbers are those of engine/device/vulkan/matrix_verbs.cpp
#define kHasBias 1u
#define kHasActivation 2u
#define kIsSum 4u
#define kIsGated 8u

layout(binding = 2) buffer Out { float y[]; };
layout(binding = 3) readonly buffer Bias { float bias[]; };

#define EPILOGUE_PUSH uint bias_at;

/// Puts a product in its place `at`; it is of row `row` of the matrix. Stands behind the push constants.
#define FINISH                                                                \
  void finish(float product, uint at, uint row) {                             \
    if ((EPILOGUE & kHasBias) != 0) product += bias[bias_at + row];           \
    if ((EPILOGUE & kHasActivation) != 0) product = activate(product);        \
    if ((EPILOGUE & kIsSum) != 0) product += y[at];                           \
    y[at] = product;                                                          \
  }
