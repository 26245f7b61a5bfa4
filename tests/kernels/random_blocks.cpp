#include "tests/kernels/random_blocks.h"

#include <cstring>

#include "kernels/half.h"

namespace hearth::test {
namespace {

/// Where a block has its half-precision numbers.
struct Halves {
  QuantType type;
  std::vector<std::size_t> offsets;
};

const std::vector<Halves>& halves() {
  static const std::vector<Halves> kHalves = {
      {QuantType::Q4_0, {0}},    {QuantType::Q4_1, {0, 2}}, {QuantType::Q5_0, {0}},
      {QuantType::Q5_1, {0, 2}}, {QuantType::Q8_0, {0}},    {QuantType::Q2_K, {80, 82}},
      {QuantType::Q3_K, {108}},  {QuantType::Q4_K, {0, 2}}, {QuantType::Q5_K, {0, 2}},
      {QuantType::Q6_K, {208}},  {QuantType::IQ4_NL, {0}},  {QuantType::IQ4_XS, {0}},
      {QuantType::MXFP4, {}},
  };
  return kHalves;
}

template <class Number>
void put(std::byte* at, Number v) {
  std::memcpy(at, &v, sizeof v);
}

Half random_half(Blocks blocks, std::mt19937& random) {
  if (blocks == Blocks::extreme) return kernels::f32_to_f16(65504.0F);
  if (blocks == Blocks::subnormal) return static_cast<Half>(random() & 0x83ff);
  std::normal_distribution<float> normal;
  return kernels::f32_to_f16(0.01F * normal(random));
}

void put_float(QuantType type, Blocks blocks, std::byte* at, std::mt19937& random) {
  std::normal_distribution<float> normal;
  const bool subnormal = blocks == Blocks::subnormal;
  if (type == QuantType::F32 && subnormal) put(at, static_cast<std::uint32_t>(random() >> 9));
  if (type == QuantType::F32 && !subnormal) put(at, normal(random));
  if (type == QuantType::F16 && subnormal) put(at, random_half(blocks, random));
  if (type == QuantType::F16 && !subnormal) put(at, kernels::f32_to_f16(normal(random)));
  // The bfloat16 instruction takes subnormal numbers for zero, as its statement says.
  if (type == QuantType::BF16) put(at, kernels::f32_to_bf16(normal(random)));
}

unsigned mx_exponent(Blocks blocks, std::size_t row, std::size_t block, std::mt19937& random) {
  if (blocks == Blocks::subnormal) return block % 3;
  if (blocks == Blocks::extreme) return row % 2 ? 254 : block % 3;
  return 110 + random() % 30;
}

}  // namespace

std::vector<std::byte> random_rows(QuantType type, std::size_t n_rows, std::size_t length,
                                   Blocks blocks, std::mt19937& random) {
  const QuantTypeInfo& info = quant_type_info(type);
  const std::size_t row = row_bytes(info, length);
  std::vector<std::byte> rows(n_rows * row);
  if (blocks == Blocks::zero) return rows;
  constexpr unsigned kEnds[] = {0x00, 0xff, 0x80, 0x7f};
  for (std::size_t r = 0; r < n_rows; ++r) {
    for (std::size_t i = 0; i < row; ++i) {
      const bool extreme = blocks == Blocks::extreme;
      rows[r * row + i] = static_cast<std::byte>(extreme ? kEnds[r % 4] : random());
    }
    for (std::size_t b = 0; b < row / info.block_bytes; ++b) {
      std::byte* block = &rows[r * row + b * info.block_bytes];
      if (info.block_elements == 1) put_float(type, blocks, block, random);
      if (type == QuantType::MXFP4) {
        *block = static_cast<std::byte>(mx_exponent(blocks, r, b, random));
      }
      for (const Halves& h : halves()) {
        if (h.type != type) continue;
        for (const std::size_t offset : h.offsets) put(block + offset, random_half(blocks, random));
      }
    }
  }
  return rows;
}

}  // namespace hearth::test
