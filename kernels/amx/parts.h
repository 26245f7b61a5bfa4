// The parts of this level, one file each; install.cpp puts them together.
#pragma once

#include "kernels/kernel_table.h"

namespace hearth::kernels::amx {

void install_matmul_k(KernelTable& table);
void install_ceilings(KernelTable& table);

}  // namespace hearth::kernels::amx
