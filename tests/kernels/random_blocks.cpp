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

void put_half(std::byte* at, float v) {
  const Half half = kernels::f32_to_f16(v);
  std::memcpy(at, &half, sizeof half);
}

void put_float(QuantType type, std::byte* at, float v) {
  if (type == QuantType::F32) std::memcpy(at, &v, sizeof v);
  if (type == QuantType::F16) put_half(at, v);
  if (type == QuantType::BF16) {
    const BFloat16 b = kernels::f32_to_bf16(v);
    std::memcpy(at, &b, sizeof b);
  }
}

}  // namespace

std::vector<std::byte> random_rows(QuantType type, std::size_t n_rows, std::size_t length,
                                   bool extreme, std::mt19937& random) {
  const QuantTypeInfo& info = quant_type_info(type);
  const std::size_t row = row_bytes(info, length);
  std::vector<std::byte> rows(n_rows * row);
  std::normal_distribution<float> normal;
  constexpr unsigned kEnds[] = {0x00, 0xff, 0x80, 0x7f};
  for (std::size_t r = 0; r < n_rows; ++r) {
    for (std::size_t i = 0; i < row; ++i) {
      rows[r * row + i] = static_cast<std::byte>(extreme ? kEnds[r % 4] : random());
    }
    for (std::size_t at = r * row; at < (r + 1) * row; at += info.block_bytes) {
      if (info.block_elements == 1) put_float(type, &rows[at], normal(random));
      if (type == QuantType::MXFP4) {
        const unsigned exponent = extreme ? (r % 2 ? 254 : at / 17 % 3) : 110 + random() % 30;
        rows[at] = static_cast<std::byte>(exponent);
      }
      for (const Halves& h : halves()) {
        if (h.type != type) continue;
        for (const std::size_t offset : h.offsets) {
          put_half(&rows[at + offset], extreme ? 65504.0F : 0.01F * normal(random));
        }
      }
    }
  }
  return rows;
}

}  // namespace hearth::test
