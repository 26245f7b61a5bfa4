#include "engine/runtime/builtin_model.h"

extern "C" {  // engine/runtime/builtin/hearth_toy.S
extern const std::byte hearth_toy_begin[];
extern const std::byte hearth_toy_end[];
}

namespace hearth {

std::span<const std::byte> builtin_model_bytes() {
  return {hearth_toy_begin, hearth_toy_end};
}

}  // namespace hearth
