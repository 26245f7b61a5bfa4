// NEON with the dot product instructions.
#pragma once

#include "kernels/kernel_table.h"

namespace hearth::kernels {

/// Overwrites the slots that this level improves. Call it only where the CPU has what it needs.
void install_neon(KernelTable& table);

}  // namespace hearth::kernels
