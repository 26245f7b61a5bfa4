#include "tools/cli/units.h"

#include <fmt/format.h>

namespace hearth::cli {
namespace {

constexpr const char* kByteUnits[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
constexpr const char* kCountUnits[] = {"", " k", " M", " B", " T", " Q", " Qi"};

struct Scaled {
  double value;
  std::size_t unit;
};

// Divides by `step` until less than it, as printed: 1023.96 counts as 1024.
Scaled scale(std::uint64_t n, double step, double largest) {
  Scaled scaled{static_cast<double>(n), 0};
  while (scaled.value >= largest) {
    scaled.value /= step;
    ++scaled.unit;
  }
  return scaled;
}

}  // namespace

std::string bytes_text(std::uint64_t bytes) {
  if (bytes < 1024) return fmt::format("{} B", bytes);
  const Scaled scaled = scale(bytes, 1024, 1023.95);
  return fmt::format("{:.1f} {}", scaled.value, kByteUnits[scaled.unit]);
}

std::string count_text(std::uint64_t count) {
  if (count < 1000) return fmt::format("{}", count);
  const Scaled scaled = scale(count, 1000, 999.5);
  const int decimals = scaled.value < 9.995 ? 2 : scaled.value < 99.95 ? 1 : 0;
  return fmt::format("{:.{}f}{}", scaled.value, decimals, kCountUnits[scaled.unit]);
}

}  // namespace hearth::cli
