// The element types a GGUF tensor can have: one row each, with the size of a block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hearth {

/// Numbers as they stand in GGUF files.
enum class QuantType : std::uint32_t {
  F32 = 0,
  F16 = 1,
  Q4_0 = 2,
  Q4_1 = 3,
  Q5_0 = 6,
  Q5_1 = 7,
  Q8_0 = 8,
  Q8_1 = 9,
  Q2_K = 10,
  Q3_K = 11,
  Q4_K = 12,
  Q5_K = 13,
  Q6_K = 14,
  Q8_K = 15,
  IQ2_XXS = 16,
  IQ2_XS = 17,
  IQ3_XXS = 18,
  IQ1_S = 19,
  IQ4_NL = 20,
  IQ3_S = 21,
  IQ2_S = 22,
  IQ4_XS = 23,
  I8 = 24,
  I16 = 25,
  I32 = 26,
  I64 = 27,
  F64 = 28,
  IQ1_M = 29,
  BF16 = 30,
  TQ1_0 = 34,
  TQ2_0 = 35,
  MXFP4 = 39,
  NVFP4 = 40,
  Q1_0 = 41,
  Q2_0 = 42,
};

/// One more than the largest number of a type: the size of an array that is indexed by type.
inline constexpr std::uint32_t kQuantTypeSlots = 43;

struct QuantTypeInfo {
  QuantType type;
  std::string_view name;         // as GGUF tools print it, e.g. "Q4_K"
  std::uint32_t block_elements;  // elements per block, along the row
  std::uint32_t block_bytes;     // bytes per block
  bool is_weight;  // Hearth can use it as a matrix of a model; else it can only name it
};

/// The row of `type`, or nullptr for a number that no type has. Takes the raw number so that
/// readers can ask first.
const QuantTypeInfo* find_quant_type(std::uint32_t raw);

/// The row of the type with this name (any letter case), or nullptr.
const QuantTypeInfo* find_quant_type(std::string_view name);

/// The row of a type that is known to exist.
const QuantTypeInfo& quant_type_info(QuantType type);

/// All rows, in the order of their numbers.
struct QuantTypeRange {
  const QuantTypeInfo* first;
  const QuantTypeInfo* last;
  const QuantTypeInfo* begin() const { return first; }
  const QuantTypeInfo* end() const { return last; }
};
QuantTypeRange all_quant_types();

/// Bytes of a row of `n` elements; `n` must be a multiple of the block's elements and the product
/// must not overflow.
inline std::size_t row_bytes(const QuantTypeInfo& info, std::size_t n) {
  return n / info.block_elements * info.block_bytes;
}

}  // namespace hearth
