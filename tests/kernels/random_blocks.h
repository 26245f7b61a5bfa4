// Rows of random blocks: any integers, sane scales.
#pragma once

#include <cstddef>
#include <random>
#include <vector>

#include "kernels/quant_types.h"

namespace hearth::test {

/// n_rows rows of `length` elements. extreme: all quants and scales at an end of their range, the
/// same end throughout a row.
std::vector<std::byte> random_rows(QuantType type, std::size_t n_rows, std::size_t length,
                                   bool extreme, std::mt19937& random);

}  // namespace hearth::test
