// Q2_K to Q6_K: super-blocks of 256 elements. The searches are in scale_search.h (Q3_K, Q6_K) and
// min_search.h (Q2_K, Q4_K, Q5_K); here is how their results are stored.
#include "kernels/scalar/for_each_block.h"
#include "kernels/scalar/k_scales.h"
#include "kernels/scalar/min_search.h"
#include "kernels/scalar/quantize.h"
#include "kernels/scalar/scale_search.h"

namespace hearth::kernels::scalar {
namespace {

constexpr int kN = kSuperBlockElements;

constexpr SuperMinGrid kGridQ2_K = {{-0.6f, 0.2f, 4}, 15, 8};
constexpr SuperGrid kGridQ3_K = {{2.5f, 0.25f, 16}, -32, 31, 8};
constexpr SuperMinGrid kGridQ4_K = {{-0.9f, 0.2f, 4}, 63, 24};
constexpr SuperMinGrid kGridQ5_K = {{-0.9f, 0.2f, 4}, 63, 24};
constexpr SuperGrid kGridQ6_K = {{29.0f, 0.25f, 16}, -128, 127, 64};

/// `subs` sub-blocks of a type with minima; a super-block that lies above zero is searched upside
/// down, because minima cannot be negative: both d and dmin then are.
template <int top, int subs>
SuperMins<subs> quantize_with_mins(const float* in, const SuperMinGrid& grid, std::uint8_t* code) {
  constexpr int n = kN / subs;
  float x[kN];
  load_finite(in, x, kN);
  const bool flip = mostly_above_zero<subs, n>(x);
  if (flip) {
    for (float& v : x) v = -v;
  }
  SuperMins<subs> best = search_super_mins<top, subs, n>(x, grid);
  const float d = f16_to_f32(best.d);
  const float dmin = f16_to_f32(best.dmin);
  for (int s = 0; s < subs; ++s) {
    encode<top>(x + s * n, n, d * static_cast<float>(best.scale[s]),
                dmin * static_cast<float>(best.min[s]), code + s * n);
  }
  if (flip) {
    best.d = static_cast<Half>(best.d ^ 0x8000);
    best.dmin = static_cast<Half>(best.dmin ^ 0x8000);
  }
  return best;
}

/// Sixteen sub-blocks of a type without minima.
template <class Levels>
SuperScales<16> quantize_symmetric(const float* in, const SuperGrid& grid, std::uint8_t* code) {
  float x[kN];
  load_finite(in, x, kN);
  const SuperScales<16> best = search_super_scales<Levels, 16, 16>(x, grid);
  const float d = f16_to_f32(best.d);
  for (int s = 0; s < 16; ++s) {
    encode<Levels>(x + s * 16, 16, d * static_cast<float>(best.scale[s]), code + s * 16);
  }
  return best;
}

/// The lower two bits of 256 codes, as Q2_K and Q3_K hold them.
void pack_two_bits(const std::uint8_t* code, std::uint8_t* qs) {
  for (int h = 0; h < 2; ++h) {
    for (int l = 0; l < 32; ++l) {
      int byte = 0;
      for (int j = 0; j < 4; ++j) byte |= (code[128 * h + 32 * j + l] & 3) << (2 * j);
      qs[32 * h + l] = static_cast<std::uint8_t>(byte);
    }
  }
}

/// The lower four bits of 256 codes, as Q4_K and Q5_K hold them.
void pack_four_bits(const std::uint8_t* code, std::uint8_t* qs) {
  for (int c = 0; c < 4; ++c) {
    for (int l = 0; l < 32; ++l) {
      qs[32 * c + l] =
          static_cast<std::uint8_t>((code[64 * c + l] & 15) | (code[64 * c + 32 + l] & 15) << 4);
    }
  }
}

/// Bit `bit` of 256 codes: eight elements that are 32 apart share a byte (hmask of Q3_K, qh of
/// Q5_K).
void pack_one_bit(const std::uint8_t* code, int bit, std::uint8_t* out) {
  for (int l = 0; l < 32; ++l) {
    int byte = 0;
    for (int s = 0; s < 8; ++s) byte |= (code[32 * s + l] >> bit & 1) << s;
    out[l] = static_cast<std::uint8_t>(byte);
  }
}

void pack_scales(const SuperMins<8>& found, std::uint8_t* packed) {
  ScalesAndMins numbers;
  for (int s = 0; s < 8; ++s) {
    numbers.scale[s] = static_cast<std::uint8_t>(found.scale[s]);
    numbers.min[s] = static_cast<std::uint8_t>(found.min[s]);
  }
  pack_scales_and_mins(numbers, packed);
}

}  // namespace

void quantize_row_q2_k(const float* row, void* out, std::size_t n) {
  pack_blocks<BlockQ2_K>(row, out, n, [](const float* in, BlockQ2_K& block) {
    std::uint8_t code[kN];
    const SuperMins<16> found = quantize_with_mins<3, 16>(in, kGridQ2_K, code);
    block.d = found.d;
    block.dmin = found.dmin;
    for (int s = 0; s < 16; ++s) {
      block.scales[s] = static_cast<std::uint8_t>(found.scale[s] | found.min[s] << 4);
    }
    pack_two_bits(code, block.qs);
  });
}

void quantize_row_q3_k(const float* row, void* out, std::size_t n) {
  pack_blocks<BlockQ3_K>(row, out, n, [](const float* in, BlockQ3_K& block) {
    std::uint8_t code[kN];
    const SuperScales<16> found = quantize_symmetric<IntegerLevels<-4, 3>>(in, kGridQ3_K, code);
    block.d = found.d;
    std::uint8_t scale[16];
    for (int s = 0; s < 16; ++s) scale[s] = static_cast<std::uint8_t>(found.scale[s] + 32);
    pack_q3_k_scales(scale, block.scales);
    pack_two_bits(code, block.qs);
    pack_one_bit(code, 2, block.hmask);
  });
}

void quantize_row_q4_k(const float* row, void* out, std::size_t n) {
  pack_blocks<BlockQ4_K>(row, out, n, [](const float* in, BlockQ4_K& block) {
    std::uint8_t code[kN];
    const SuperMins<8> found = quantize_with_mins<15, 8>(in, kGridQ4_K, code);
    block.d = found.d;
    block.dmin = found.dmin;
    pack_scales(found, block.scales);
    pack_four_bits(code, block.qs);
  });
}

void quantize_row_q5_k(const float* row, void* out, std::size_t n) {
  pack_blocks<BlockQ5_K>(row, out, n, [](const float* in, BlockQ5_K& block) {
    std::uint8_t code[kN];
    const SuperMins<8> found = quantize_with_mins<31, 8>(in, kGridQ5_K, code);
    block.d = found.d;
    block.dmin = found.dmin;
    pack_scales(found, block.scales);
    pack_four_bits(code, block.qs);
    pack_one_bit(code, 4, block.qh);
  });
}

void quantize_row_q6_k(const float* row, void* out, std::size_t n) {
  pack_blocks<BlockQ6_K>(row, out, n, [](const float* in, BlockQ6_K& block) {
    std::uint8_t code[kN];
    const SuperScales<16> found = quantize_symmetric<IntegerLevels<-32, 31>>(in, kGridQ6_K, code);
    block.d = found.d;
    for (int s = 0; s < 16; ++s) block.scales[s] = static_cast<std::int8_t>(found.scale[s]);
    for (int h = 0; h < 2; ++h) {
      const std::uint8_t* q = code + 128 * h;
      for (int l = 0; l < 64; ++l) {
        block.ql[64 * h + l] = static_cast<std::uint8_t>((q[l] & 15) | (q[64 + l] & 15) << 4);
      }
      for (int l = 0; l < 32; ++l) {
        block.qh[32 * h + l] = static_cast<std::uint8_t>(
            q[l] >> 4 | (q[32 + l] >> 4) << 2 | (q[64 + l] >> 4) << 4 | (q[96 + l] >> 4) << 6);
      }
    }
  });
}

}  // namespace hearth::kernels::scalar
