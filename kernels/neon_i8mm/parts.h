// What the files of this folder add to the table; neon_i8mm/install.cpp calls them.
#pragma once

#include "kernels/kernel_table.h"

namespace hearth::kernels::neon_i8mm {

void install_ceilings(KernelTable& table);
void install_matmul_k(KernelTable& table);
void install_matmul_plain(KernelTable& table);

}  // namespace hearth::kernels::neon_i8mm
