// The scalar level: portable C++ that states what every kernel computes.
#pragma once

#include "kernels/kernel_table.h"

namespace hearth::kernels {

/// Fills every slot.
void install_scalar(KernelTable& table);

}  // namespace hearth::kernels
