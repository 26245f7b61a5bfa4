// What portable code can do at most; other levels overwrite it.
#pragma once

#include "kernels/kernel_table.h"

namespace hearth::kernels::scalar {

void install_ceilings(KernelTable& table);

}  // namespace hearth::kernels::scalar
