#pragma once

#include <span>

namespace hearth {

/// Normalised mean squared error: the sum of squared differences over the sum of truth's squares,
/// in double. 0 where both are equal, infinite where only the truth is all zeros. Both have one
/// length.
double nmse(std::span<const float> got, std::span<const float> truth);

}  // namespace hearth
