#include "tools/cli/npy.h"

#include <fmt/format.h>

namespace hearth::cli {

std::string npy_header(std::size_t rows, std::size_t columns) {
  constexpr std::size_t kFixed = 10;      // magic, version, length
  constexpr std::size_t kAlignment = 64;  // of the values
  std::string text =
      fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}", rows, columns);
  text.append(kAlignment - 1 - (kFixed + text.size()) % kAlignment, ' ');
  text += '\n';
  std::string header("\x93NUMPY\x01\x00", 8);
  header += static_cast<char>(text.size() & 0xFF);
  header += static_cast<char>(text.size() >> 8);
  return header + text;
}

}  // namespace hearth::cli
