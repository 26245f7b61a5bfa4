// The statement of the vector kernels.
#pragma once

#include "kernels/vector_kernels.h"

namespace hearth::kernels::scalar {

VectorKernels vector_kernels();

}  // namespace hearth::kernels::scalar
