// Rows of random blocks: any integers, sane scales.
#pragma once

#include <cstddef>
#include <random>
#include <vector>

#include "kernels/quant_types.h"

namespace hearth::test {

enum class Blocks {
  usual,
  extreme,    // all quants and scales at an end of their range, the same end throughout a row
  subnormal,  // scales (elements, in a float type) too small for a normal number of their format
  zero        // every byte is 0
};

/// n_rows rows of `length` elements.
std::vector<std::byte> random_rows(QuantType type, std::size_t n_rows, std::size_t length,
                                   Blocks blocks, std::mt19937& random);

}  // namespace hearth::test
