// The model in the box: a toy GGUF embedded in the program, used when no -m is given.
#pragma once

#include <cstddef>
#include <span>

namespace hearth {

/// The bytes of the embedded GGUF file; empty in a build without one.
std::span<const std::byte> builtin_model_bytes();

}  // namespace hearth
