// Q2_K to Q6_K: super-blocks of 256 elements. In the loops, h is the half of the super-block, j the
// run of 32 elements in it, l the element in the run.
#include "kernels/half.h"
#include "kernels/scalar/dequantize.h"
#include "kernels/scalar/for_each_block.h"
#include "kernels/scalar/k_scales.h"

namespace hearth::kernels::scalar {

void dequantize_row_q2_k(const void* row, float* out, std::size_t n) {
  unpack_blocks<BlockQ2_K>(row, out, n, [](const BlockQ2_K& block, float* x) {
    const float d = f16_to_f32(block.d);
    const float dmin = f16_to_f32(block.dmin);
    for (int s = 0; s < 16; ++s, x += 16) {
      const float scale = d * static_cast<float>(block.scales[s] & 15);
      const float min = dmin * static_cast<float>(block.scales[s] >> 4);
      const std::uint8_t* qs = block.qs + 32 * (s / 8) + 16 * (s % 2);
      const int shift = 2 * (s % 8 / 2);
      for (int l = 0; l < 16; ++l) x[l] = scale * static_cast<float>(qs[l] >> shift & 3) - min;
    }
  });
}

void dequantize_row_q3_k(const void* row, float* out, std::size_t n) {
  unpack_blocks<BlockQ3_K>(row, out, n, [](const BlockQ3_K& block, float* x) {
    const float d = f16_to_f32(block.d);
    std::uint8_t scales[16];
    unpack_q3_k_scales(block.scales, scales);
    for (int s = 0; s < 16; ++s, x += 16) {
      const float scale = d * static_cast<float>(scales[s] - 32);
      const std::uint8_t* qs = block.qs + 32 * (s / 8) + 16 * (s % 2);
      const std::uint8_t* hmask = block.hmask + 16 * (s % 2);
      const int shift = 2 * (s % 8 / 2);
      for (int l = 0; l < 16; ++l) {
        const int q = (qs[l] >> shift & 3) | (hmask[l] >> (s / 2) & 1) << 2;
        x[l] = scale * static_cast<float>(q - 4);
      }
    }
  });
}

void dequantize_row_q4_k(const void* row, float* out, std::size_t n) {
  unpack_blocks<BlockQ4_K>(row, out, n, [](const BlockQ4_K& block, float* x) {
    const float d = f16_to_f32(block.d);
    const float dmin = f16_to_f32(block.dmin);
    const ScalesAndMins packed = unpack_scales_and_mins(block.scales);
    for (int s = 0; s < 8; ++s, x += 32) {
      const float scale = d * static_cast<float>(packed.scale[s]);
      const float min = dmin * static_cast<float>(packed.min[s]);
      const std::uint8_t* qs = block.qs + 32 * (s / 2);
      const int shift = 4 * (s % 2);
      for (int l = 0; l < 32; ++l) x[l] = scale * static_cast<float>(qs[l] >> shift & 15) - min;
    }
  });
}

void dequantize_row_q5_k(const void* row, float* out, std::size_t n) {
  unpack_blocks<BlockQ5_K>(row, out, n, [](const BlockQ5_K& block, float* x) {
    const float d = f16_to_f32(block.d);
    const float dmin = f16_to_f32(block.dmin);
    const ScalesAndMins packed = unpack_scales_and_mins(block.scales);
    for (int s = 0; s < 8; ++s, x += 32) {
      const float scale = d * static_cast<float>(packed.scale[s]);
      const float min = dmin * static_cast<float>(packed.min[s]);
      const std::uint8_t* qs = block.qs + 32 * (s / 2);
      const int shift = 4 * (s % 2);
      for (int l = 0; l < 32; ++l) {
        const int q = (qs[l] >> shift & 15) | (block.qh[l] >> s & 1) << 4;
        x[l] = scale * static_cast<float>(q) - min;
      }
    }
  });
}

void dequantize_row_q6_k(const void* row, float* out, std::size_t n) {
  unpack_blocks<BlockQ6_K>(row, out, n, [](const BlockQ6_K& block, float* x) {
    const float d = f16_to_f32(block.d);
    for (int s = 0; s < 16; ++s, x += 16) {
      const float scale = d * static_cast<float>(block.scales[s]);
      const int h = s / 8;
      const int j = s % 8 / 2;
      const std::uint8_t* ql = block.ql + 64 * h + 32 * (j % 2) + 16 * (s % 2);
      const std::uint8_t* qh = block.qh + 32 * h + 16 * (s % 2);
      for (int l = 0; l < 16; ++l) {
        const int q = (ql[l] >> (4 * (j / 2)) & 15) | (qh[l] >> (2 * j) & 3) << 4;
        x[l] = scale * static_cast<float>(q - 32);
      }
    }
  });
}

}  // namespace hearth::kernels::scalar
