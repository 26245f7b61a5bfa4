// AMX: tiles and their products of 8-bit integers, on top of AVX-512.
#pragma once

#include "kernels/kernel_table.h"

namespace hearth::kernels {

/// Overwrites the slots that this level improves. Call it only where the CPU has what it needs and
/// the system lets this process use it (cpu_features.h).
void install_amx(KernelTable& table);

}  // namespace hearth::kernels
