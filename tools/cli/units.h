// Numbers for people: bytes and counts with units.
#pragma once

#include <cstdint>
#include <string>

namespace hearth::cli {

/// "512 B", "3.4 MiB", "12.0 GiB": powers of 1024, one decimal.
std::string bytes_text(std::uint64_t bytes);

/// "512", "25.6 k", "7.24 B": powers of 1000, three significant digits.
std::string count_text(std::uint64_t count);

}  // namespace hearth::cli
