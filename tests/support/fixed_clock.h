// The clock at which expected renderings of templates were made.
#pragma once

#include <ctime>

namespace hearth::test {

/// Friday 2024-07-26 09:30.
inline std::tm fixed_clock() {
  std::tm clock = {};
  clock.tm_year = 2024 - 1900;
  clock.tm_mon = 6;
  clock.tm_mday = 26;
  clock.tm_hour = 9;
  clock.tm_min = 30;
  clock.tm_wday = 5;
  clock.tm_yday = 207;
  return clock;
}

}  // namespace hearth::test
