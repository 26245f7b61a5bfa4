// IQ4_NL, IQ4_XS, MXFP4: four bits choose one of sixteen values.
#include "kernels/half.h"
#include "kernels/scalar/dequantize.h"
#include "kernels/scalar/for_each_block.h"
#include "kernels/scalar/mx_scale.h"

namespace hearth::kernels::scalar {
namespace {

/// 32 elements: low nibbles first, then high ones.
void look_up(const std::uint8_t* qs, const std::int8_t* values, float scale, float* x) {
  for (int i = 0; i < 16; ++i) {
    x[i] = scale * static_cast<float>(values[qs[i] & 15]);
    x[i + 16] = scale * static_cast<float>(values[qs[i] >> 4]);
  }
}

}  // namespace

void dequantize_row_iq4_nl(const void* row, float* out, std::size_t n) {
  unpack_blocks<BlockIQ4_NL>(row, out, n, [](const BlockIQ4_NL& block, float* x) {
    look_up(block.qs, kIq4Values, f16_to_f32(block.d), x);
  });
}

void dequantize_row_iq4_xs(const void* row, float* out, std::size_t n) {
  unpack_blocks<BlockIQ4_XS>(row, out, n, [](const BlockIQ4_XS& block, float* x) {
    const float d = f16_to_f32(block.d);
    for (int s = 0; s < 8; ++s) {
      const int low = block.scales_l[s / 2] >> (4 * (s % 2)) & 15;
      const int high = block.scales_h >> (2 * s) & 3;
      const int scale = (low | high << 4) - 32;
      look_up(block.qs + 16 * s, kIq4Values, d * static_cast<float>(scale), x + 32 * s);
    }
  });
}

void dequantize_row_mxfp4(const void* row, float* out, std::size_t n) {
  unpack_blocks<BlockMXFP4>(row, out, n, [](const BlockMXFP4& block, float* x) {
    look_up(block.qs, kE2M1Doubled, half_of_mx_scale(block.e), x);
  });
}

}  // namespace hearth::kernels::scalar
