// The statement of kernels/row_kernels.h.
#pragma once

#include "kernels/row_kernels.h"

namespace hearth::kernels::scalar {

RowKernels row_kernels();

}  // namespace hearth::kernels::scalar
