// IQ4_NL, IQ4_XS, MXFP4: four bits choose one of sixteen values.
#include "kernels/scalar/for_each_block.h"
#include "kernels/scalar/mx_scale.h"
#include "kernels/scalar/quantize.h"
#include "kernels/scalar/scale_search.h"

namespace hearth::kernels::scalar {
namespace {

constexpr Grid kGridIQ4_NL = {85.0f, 4.0f, 16};
constexpr SuperGrid kGridIQ4_XS = {kGridIQ4_NL, -32, 31, 8};

/// v * 2^e for e in -252..254, in two steps because neither factor may leave the normal floats.
float times_power_of_two(float v, int e) {
  const int half = e / 2;
  return v * power_of_two(half) * power_of_two(e - half);
}

void pack_nibbles(const std::uint8_t* code, std::uint8_t* qs) {
  for (int i = 0; i < 16; ++i) qs[i] = static_cast<std::uint8_t>(code[i] | code[i + 16] << 4);
}

/// The exponent byte e of 32 elements by the error that it makes; afterwards x is in units of
/// 2^(e - 128), those of E2M1Levels. The rule of the specification (the exponent of the largest
/// element, less 2) is among those tried.
std::uint8_t search_mx_scale(float* x) {
  constexpr int kLowest = -4;  // the first one tried, relative to that rule
  const float largest = extreme(x, kBlockElements);
  if (largest == 0.0f) return 0;
  const int exponent = exponent_of(largest);
  // from here on the largest element is in [1, 2), so that no square leaves the floats
  for (int i = 0; i < kBlockElements; ++i) x[i] = times_power_of_two(x[i], -exponent);
  int e[kLanes];
  float tried[kLanes];
  for (int c = 0; c < kLanes; ++c) {
    const int wanted = exponent - 2 + kLowest + c + 127;
    e[c] = wanted < 0 ? 0 : wanted >= kMxScaleNan ? kMxScaleNan - 1 : wanted;
    tried[c] = power_of_two(e[c] - 128 - exponent);
  }
  const int best = smallest_lane(round_at<E2M1Levels>(x, kBlockElements, Lanes(tried)).error);
  for (int i = 0; i < kBlockElements; ++i) x[i] /= tried[best];
  return static_cast<std::uint8_t>(e[best]);
}

}  // namespace

void quantize_row_iq4_nl(const float* row, void* out, std::size_t n) {
  pack_blocks<BlockIQ4_NL>(row, out, n, [](const float* in, BlockIQ4_NL& block) {
    float x[kBlockElements];
    std::uint8_t code[kBlockElements];
    load_finite(in, x, kBlockElements);
    block.d = search_half_scale<Iq4Levels>(x, kBlockElements, kGridIQ4_NL);
    encode<Iq4Levels>(x, kBlockElements, f16_to_f32(block.d), code);
    pack_nibbles(code, block.qs);
  });
}

void quantize_row_iq4_xs(const float* row, void* out, std::size_t n) {
  pack_blocks<BlockIQ4_XS>(row, out, n, [](const float* in, BlockIQ4_XS& block) {
    float x[kSuperBlockElements];
    load_finite(in, x, kSuperBlockElements);
    const SuperScales<8> found = search_super_scales<Iq4Levels, 8, 32>(x, kGridIQ4_XS);
    const float d = f16_to_f32(found.d);
    block.d = found.d;
    block.scales_h = 0;
    for (int s = 0; s < 4; ++s) block.scales_l[s] = 0;
    for (int s = 0; s < 8; ++s) {
      const int scale = found.scale[s] + 32;
      block.scales_l[s / 2] =
          static_cast<std::uint8_t>(block.scales_l[s / 2] | (scale & 15) << (4 * (s % 2)));
      block.scales_h = static_cast<std::uint16_t>(block.scales_h | (scale >> 4) << (2 * s));
      std::uint8_t code[32];
      encode<Iq4Levels>(x + 32 * s, 32, d * static_cast<float>(found.scale[s]), code);
      pack_nibbles(code, block.qs + 16 * s);
    }
  });
}

void quantize_row_mxfp4(const float* row, void* out, std::size_t n) {
  pack_blocks<BlockMXFP4>(row, out, n, [](const float* in, BlockMXFP4& block) {
    constexpr float kLargest = 0x1.8p127f;  // the largest finite float among 2^127 times the levels
    float x[kBlockElements];
    std::uint8_t code[kBlockElements];
    load_finite(in, x, kBlockElements, kLargest);
    block.e = search_mx_scale(x);
    encode<E2M1Levels>(x, kBlockElements, 1.0f, code);
    pack_nibbles(code, block.qs);
  });
}

}  // namespace hearth::kernels::scalar
