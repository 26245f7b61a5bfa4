// Safetensors files: a length, a JSON header, tensors. The header comes from strangers: every count
// and offset is checked against the file before it is used.
// Format: https://github.com/huggingface/safetensors#format
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/quant_types.h"

namespace hearth {

struct SafeTensor {
  QuantType type = QuantType::F32;   // F32, F16 or BF16
  std::vector<std::uint64_t> shape;  // slowest first, as stored; empty: a number by itself
  std::span<const std::byte> data;

  std::uint64_t elements() const;
};

/// The tensors of floats by name, as views into `bytes`; of other types only what is wrong with
/// them is of interest. Throws Error, naming `name`, at the first violation.
std::map<std::string, SafeTensor, std::less<>> parse_safetensors(std::span<const std::byte> bytes,
                                                                 const std::string& name);

}  // namespace hearth
