#include "kernels/quant_types.h"

#include "kernels/quant_blocks.h"

namespace hearth {
namespace {

constexpr QuantTypeInfo element(QuantType type, std::string_view name, std::uint32_t bytes,
                                bool is_weight) {
  return {type, name, 1, bytes, is_weight};
}

template <class Block>
constexpr QuantTypeInfo block(QuantType type, std::string_view name) {
  return {type, name, Block::kElements, sizeof(Block), true};
}

// A type that exists in files and that Hearth does not dequantise (yet): its size is known, so that
// a file that has it can be looked at.
constexpr QuantTypeInfo known(QuantType type, std::string_view name, std::uint32_t elements,
                              std::uint32_t bytes) {
  return {type, name, elements, bytes, false};
}

constexpr QuantTypeInfo kTypes[] = {
    element(QuantType::F32, "F32", 4, true),
    element(QuantType::F16, "F16", 2, true),
    block<BlockQ4_0>(QuantType::Q4_0, "Q4_0"),
    block<BlockQ4_1>(QuantType::Q4_1, "Q4_1"),
    block<BlockQ5_0>(QuantType::Q5_0, "Q5_0"),
    block<BlockQ5_1>(QuantType::Q5_1, "Q5_1"),
    block<BlockQ8_0>(QuantType::Q8_0, "Q8_0"),
    known(QuantType::Q8_1, "Q8_1", 32, 36),
    block<BlockQ2_K>(QuantType::Q2_K, "Q2_K"),
    block<BlockQ3_K>(QuantType::Q3_K, "Q3_K"),
    block<BlockQ4_K>(QuantType::Q4_K, "Q4_K"),
    block<BlockQ5_K>(QuantType::Q5_K, "Q5_K"),
    block<BlockQ6_K>(QuantType::Q6_K, "Q6_K"),
    known(QuantType::Q8_K, "Q8_K", 256, 292),
    known(QuantType::IQ2_XXS, "IQ2_XXS", 256, 66),
    known(QuantType::IQ2_XS, "IQ2_XS", 256, 74),
    known(QuantType::IQ3_XXS, "IQ3_XXS", 256, 98),
    known(QuantType::IQ1_S, "IQ1_S", 256, 50),
    block<BlockIQ4_NL>(QuantType::IQ4_NL, "IQ4_NL"),
    known(QuantType::IQ3_S, "IQ3_S", 256, 110),
    known(QuantType::IQ2_S, "IQ2_S", 256, 82),
    block<BlockIQ4_XS>(QuantType::IQ4_XS, "IQ4_XS"),
    element(QuantType::I8, "I8", 1, false),
    element(QuantType::I16, "I16", 2, false),
    element(QuantType::I32, "I32", 4, false),
    element(QuantType::I64, "I64", 8, false),
    element(QuantType::F64, "F64", 8, false),
    known(QuantType::IQ1_M, "IQ1_M", 256, 56),
    element(QuantType::BF16, "BF16", 2, true),
    known(QuantType::TQ1_0, "TQ1_0", 256, 54),
    known(QuantType::TQ2_0, "TQ2_0", 256, 66),
    block<BlockMXFP4>(QuantType::MXFP4, "MXFP4"),
    known(QuantType::NVFP4, "NVFP4", 64, 36),
    known(QuantType::Q1_0, "Q1_0", 128, 18),
    known(QuantType::Q2_0, "Q2_0", 64, 18),
};

constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

constexpr bool equal_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

}  // namespace

const QuantTypeInfo* find_quant_type(std::uint32_t raw) {
  for (const QuantTypeInfo& info : kTypes) {
    if (static_cast<std::uint32_t>(info.type) == raw) return &info;
  }
  return nullptr;
}

const QuantTypeInfo* find_quant_type(std::string_view name) {
  for (const QuantTypeInfo& info : kTypes) {
    if (equal_ignoring_case(info.name, name)) return &info;
  }
  return nullptr;
}

const QuantTypeInfo& quant_type_info(QuantType type) {
  // Every enumerator has a row: a test walks them.
  return *find_quant_type(static_cast<std::uint32_t>(type));
}

QuantTypeRange all_quant_types() {
  return {kTypes, kTypes + sizeof(kTypes) / sizeof(kTypes[0])};
}

}  // namespace hearth
