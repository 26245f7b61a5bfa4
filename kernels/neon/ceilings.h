// The loops that measure this level (generic/busy_loops.h).
#pragma once

#include "kernels/kernel_table.h"

namespace hearth::kernels::neon {

void install_ceilings(KernelTable& table);

}  // namespace hearth::kernels::neon
