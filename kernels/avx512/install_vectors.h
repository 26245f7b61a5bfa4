// What this level adds to the table of vector kernels.
#pragma once

#include "kernels/vector_kernels.h"

namespace hearth::kernels {

/// Call it only where the CPU has what the level needs.
void install_avx512(VectorKernels& table);

}  // namespace hearth::kernels
