// What the files of this folder add to the table; avx512/install.cpp calls them.
#pragma once

#include "kernels/kernel_table.h"

namespace hearth::kernels::avx512 {

void install_attention(KernelTable& table);
void install_ceilings(KernelTable& table);
void install_dequantize(KernelTable& table);
void install_fill_strip(KernelTable& table);
void install_rows(KernelTable& table);
void install_vectors(KernelTable& table);
void install_matmul_k(KernelTable& table);
void install_matmul_plain(KernelTable& table);
void install_matmul_float(KernelTable& table);
void install_matmul_bf16(KernelTable& table);   // only where the CPU has AVX512_BF16
void install_ceiling_bf16(KernelTable& table);  // likewise

}  // namespace hearth::kernels::avx512
