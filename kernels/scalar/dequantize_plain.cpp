// Q4_0, Q4_1, Q5_0, Q5_1, Q8_0: 32 elements with one scale.
#include "kernels/half.h"
#include "kernels/scalar/dequantize.h"
#include "kernels/scalar/for_each_block.h"

namespace hearth::kernels::scalar {
namespace {

/// Bit 4 of element i, in place.
int fifth_bit(const std::uint8_t* qh, int i) {
  return (qh[i / 8] >> (i % 8) & 1) << 4;
}

}  // namespace

void dequantize_row_q4_0(const void* row, float* out, std::size_t n) {
  unpack_blocks<BlockQ4_0>(row, out, n, [](const BlockQ4_0& block, float* x) {
    const float d = f16_to_f32(block.d);
    for (int i = 0; i < 16; ++i) {
      x[i] = d * static_cast<float>((block.qs[i] & 15) - 8);
      x[i + 16] = d * static_cast<float>((block.qs[i] >> 4) - 8);
    }
  });
}

void dequantize_row_q4_1(const void* row, float* out, std::size_t n) {
  unpack_blocks<BlockQ4_1>(row, out, n, [](const BlockQ4_1& block, float* x) {
    const float d = f16_to_f32(block.d);
    const float m = f16_to_f32(block.m);
    for (int i = 0; i < 16; ++i) {
      x[i] = d * static_cast<float>(block.qs[i] & 15) + m;
      x[i + 16] = d * static_cast<float>(block.qs[i] >> 4) + m;
    }
  });
}

void dequantize_row_q5_0(const void* row, float* out, std::size_t n) {
  unpack_blocks<BlockQ5_0>(row, out, n, [](const BlockQ5_0& block, float* x) {
    const float d = f16_to_f32(block.d);
    for (int i = 0; i < 16; ++i) {
      const int low = (block.qs[i] & 15) | fifth_bit(block.qh, i);
      const int high = (block.qs[i] >> 4) | fifth_bit(block.qh, i + 16);
      x[i] = d * static_cast<float>(low - 16);
      x[i + 16] = d * static_cast<float>(high - 16);
    }
  });
}

void dequantize_row_q5_1(const void* row, float* out, std::size_t n) {
  unpack_blocks<BlockQ5_1>(row, out, n, [](const BlockQ5_1& block, float* x) {
    const float d = f16_to_f32(block.d);
    const float m = f16_to_f32(block.m);
    for (int i = 0; i < 16; ++i) {
      const int low = (block.qs[i] & 15) | fifth_bit(block.qh, i);
      const int high = (block.qs[i] >> 4) | fifth_bit(block.qh, i + 16);
      x[i] = d * static_cast<float>(low) + m;
      x[i + 16] = d * static_cast<float>(high) + m;
    }
  });
}

void dequantize_row_q8_0(const void* row, float* out, std::size_t n) {
  unpack_blocks<BlockQ8_0>(row, out, n, [](const BlockQ8_0& block, float* x) {
    const float d = f16_to_f32(block.d);
    for (int i = 0; i < 32; ++i) x[i] = d * static_cast<float>(block.qs[i]);
  });
}

}  // namespace hearth::kernels::scalar
