// Which kernels the CPU device works with: those of the fastest level that this machine has, or of
// the level that the environment variable HEARTH_ISA names.
#pragma once

#include "kernels/dispatch.h"

namespace hearth {

/// The level called `name` of these; nullptr or "": the fastest that this machine has. Throws
/// Error, which lists the levels, if there is none of that name or this machine does not have it.
const kernels::IsaLevel& choose_level(const char* name,
                                      kernels::IsaLevelRange levels = kernels::all_isa_levels());

/// choose_level(HEARTH_ISA), as the environment says at the time of the call.
const kernels::IsaLevel& chosen_level();

/// The table of a level of kernels::all_isa_levels(). It lives as long as the program.
const kernels::KernelTable& kernels_of(const kernels::IsaLevel& level);

/// That of chosen_level().
const kernels::KernelTable& chosen_kernels();

}  // namespace hearth
