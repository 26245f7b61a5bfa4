// The order in which sixteen partial sums are added.
#pragma once

namespace hearth::kernels::scalar {

/// Lane j + lane j + 8, then the lanes 4, 2 and 1 apart.
inline float sum_of_lanes(const float (&lanes)[16]) {
  float sums[16];
  for (int j = 0; j < 16; ++j) sums[j] = lanes[j];
  for (int apart = 8; apart > 0; apart /= 2) {
    for (int j = 0; j < apart; ++j) sums[j] = sums[j] + sums[j + apart];
  }
  return sums[0];
}

}  // namespace hearth::kernels::scalar
