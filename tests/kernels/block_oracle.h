// Another statement of the block formats, for tests: the value of one element, in double, straight
// from the format description by arithmetic on element numbers. Slow, and shares no code with
// kernels/.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/quant_types.h"

namespace hearth::testing {

/// Element `i` of the block at `block`. Exact but for the last addition's rounding in double.
double oracle_element(QuantType type, const std::uint8_t* block, int i);

}  // namespace hearth::testing
