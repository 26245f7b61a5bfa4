// Q4_0, Q4_1, Q5_0, Q5_1, Q8_0: 32 elements with one scale.
#include "kernels/scalar/for_each_block.h"
#include "kernels/scalar/min_search.h"
#include "kernels/scalar/quantize.h"
#include "kernels/scalar/scale_search.h"

namespace hearth::kernels::scalar {
namespace {

constexpr int kN = kBlockElements;

void pack_nibbles(const std::uint8_t* code, std::uint8_t* qs) {
  for (int i = 0; i < 16; ++i) {
    qs[i] = static_cast<std::uint8_t>((code[i] & 15) | (code[i + 16] & 15) << 4);
  }
}

/// Bit 4 of every code.
void pack_fifth_bits(const std::uint8_t* code, std::uint8_t* qh) {
  for (int i = 0; i < 4; ++i) qh[i] = 0;
  for (int i = 0; i < kN; ++i) {
    qh[i / 8] = static_cast<std::uint8_t>(qh[i / 8] | (code[i] >> 4) << (i % 8));
  }
}

/// Scale and codes of a type without an offset.
template <class Levels>
Half quantize_symmetric(const float* in, const Grid& grid, std::uint8_t* code) {
  float x[kN];
  load_finite(in, x, kN);
  const Half d = search_half_scale<Levels>(x, kN, grid);
  encode<Levels>(x, kN, f16_to_f32(d), code);
  return d;
}

/// Scale, offset and codes of a type with one.
template <int top>
void quantize_with_offset(const float* in, const RangeGrid& grid, Half& d, Half& m,
                          std::uint8_t* code) {
  float x[kN];
  load_finite(in, x, kN);
  const StoredMinFit fit = search_half_min<top>(x, kN, grid);
  d = fit.scale;
  m = static_cast<Half>(fit.min ^ 0x8000);
  encode<top>(x, kN, f16_to_f32(fit.scale), f16_to_f32(fit.min), code);
}

constexpr Grid kGridQ4_0 = {5.0f, 0.25f, 16};
constexpr Grid kGridQ5_0 = {13.0f, 0.25f, 16};
constexpr Grid kGridQ8_0 = {124.0f, 0.5f, 8};
constexpr RangeGrid kGridQ4_1 = {-0.9f, 0.2f, 4};
constexpr RangeGrid kGridQ5_1 = {-0.9f, 0.2f, 4};

}  // namespace

void quantize_row_q4_0(const float* row, void* out, std::size_t n) {
  pack_blocks<BlockQ4_0>(row, out, n, [](const float* in, BlockQ4_0& block) {
    std::uint8_t code[kN];
    block.d = quantize_symmetric<IntegerLevels<-8, 7>>(in, kGridQ4_0, code);
    pack_nibbles(code, block.qs);
  });
}

void quantize_row_q4_1(const float* row, void* out, std::size_t n) {
  pack_blocks<BlockQ4_1>(row, out, n, [](const float* in, BlockQ4_1& block) {
    std::uint8_t code[kN];
    quantize_with_offset<15>(in, kGridQ4_1, block.d, block.m, code);
    pack_nibbles(code, block.qs);
  });
}

void quantize_row_q5_0(const float* row, void* out, std::size_t n) {
  pack_blocks<BlockQ5_0>(row, out, n, [](const float* in, BlockQ5_0& block) {
    std::uint8_t code[kN];
    block.d = quantize_symmetric<IntegerLevels<-16, 15>>(in, kGridQ5_0, code);
    pack_nibbles(code, block.qs);
    pack_fifth_bits(code, block.qh);
  });
}

void quantize_row_q5_1(const float* row, void* out, std::size_t n) {
  pack_blocks<BlockQ5_1>(row, out, n, [](const float* in, BlockQ5_1& block) {
    std::uint8_t code[kN];
    quantize_with_offset<31>(in, kGridQ5_1, block.d, block.m, code);
    pack_nibbles(code, block.qs);
    pack_fifth_bits(code, block.qh);
  });
}

void quantize_row_q8_0(const float* row, void* out, std::size_t n) {
  pack_blocks<BlockQ8_0>(row, out, n, [](const float* in, BlockQ8_0& block) {
    std::uint8_t code[kN];
    block.d = quantize_symmetric<IntegerLevels<-127, 127>>(in, kGridQ8_0, code);
    for (int i = 0; i < kN; ++i) block.qs[i] = static_cast<std::int8_t>(code[i] - 127);
  });
}

}  // namespace hearth::kernels::scalar
