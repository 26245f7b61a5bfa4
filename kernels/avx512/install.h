// AVX-512: F, BW, VL, DQ and VNNI; BF16 where present.
#pragma once

#include "kernels/kernel_table.h"

namespace hearth::kernels {

/// Overwrites the slots that this level improves. Call it only where the CPU has what it needs.
void install_avx512(KernelTable& table);

}  // namespace hearth::kernels
