// What the files of this folder add to the table; neon/install.cpp calls them.
#pragma once

#include "kernels/kernel_table.h"

namespace hearth::kernels::neon {

void install_attention(KernelTable& table);
void install_ceilings(KernelTable& table);
void install_dequantize(KernelTable& table);
void install_fill_strip(KernelTable& table);
void install_rows(KernelTable& table);
void install_vectors(KernelTable& table);
void install_matmul_k(KernelTable& table);
void install_matmul_plain(KernelTable& table);
void install_matmul_float(KernelTable& table);

}  // namespace hearth::kernels::neon
