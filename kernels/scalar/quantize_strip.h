// Activations into strips, one element after the other. The formulas: kernels/strips.h.
#pragma once

#include "kernels/strips.h"

namespace hearth::kernels::scalar {

void fill_strip_f32(const Strip& strip, const float* const* columns);
void fill_strip_bf16(const Strip& strip, const float* const* columns);
void fill_strip_q8_32(const Strip& strip, const float* const* columns);
void fill_strip_q8_128(const Strip& strip, const float* const* columns);

}  // namespace hearth::kernels::scalar
