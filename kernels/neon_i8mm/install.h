// NEON with the 8-bit matrix instructions, on top of the level neon.
#pragma once

#include "kernels/kernel_table.h"

namespace hearth::kernels {

/// Overwrites the slots that this level improves. Call it only where the CPU has what it needs.
void install_neon_i8mm(KernelTable& table);

}  // namespace hearth::kernels
