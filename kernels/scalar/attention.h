// The statement of kernels/attention.h.
#pragma once

#include "kernels/attention.h"

namespace hearth::kernels::scalar {

AttentionKernels attention_kernels();

}  // namespace hearth::kernels::scalar
