// The functions that a feed-forward layer can have between its matrices.
#pragma once

#include <cstdint>

namespace hearth {

enum class Activation : std::uint8_t { silu, gelu_tanh, gelu_erf, relu, relu_squared };

inline constexpr int kActivations = 5;

}  // namespace hearth
