// NumPy's file format for arrays
// (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html).
#pragma once

#include <cstddef>
#include <string>

namespace hearth::cli {

/// What stands in front of the little-endian float32 values of an array [rows][columns].
std::string npy_header(std::size_t rows, std::size_t columns);

}  // namespace hearth::cli
