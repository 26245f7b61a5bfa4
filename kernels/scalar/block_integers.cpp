#include "kernels/scalar/block_integers.h"

#include <cstring>

#include "kernels/half.h"
#include "kernels/quant_blocks.h"
#include "kernels/scalar/k_scales.h"
#include "kernels/scalar/mx_scale.h"

namespace hearth::kernels::scalar {
namespace {

template <class Block>
Block load(const void* bytes) {
  Block block;
  std::memcpy(&block, bytes, sizeof block);
  return block;
}

void start(BlockIntegers& out, int n, int sub_block, float d) {
  out.n = n;
  out.sub_block = sub_block;
  out.d = d;
  out.m = 0.0F;
  out.has_min = false;
  for (int s = 0; s < n / sub_block; ++s) out.scale[s] = 1;
}

void with_min(BlockIntegers& out, float m) {
  out.m = m;
  out.has_min = true;
  for (int s = 0; s < out.n / out.sub_block; ++s) out.min[s] = 1;
}

/// The 32 nibbles of a plain block: the low ones first.
void nibbles(const std::uint8_t* qs, int* q) {
  for (int i = 0; i < 16; ++i) {
    q[i] = qs[i] & 15;
    q[i + 16] = qs[i] >> 4;
  }
}

void fifth_bits(const std::uint8_t* qh, int* q) {
  for (int i = 0; i < 32; ++i) q[i] |= (qh[i / 8] >> (i % 8) & 1) << 4;
}

/// Scales, minima and the lower four bits of Q4_K and Q5_K.
template <class Block>
void read_scaled_nibbles(const Block& block, BlockIntegers& out) {
  start(out, 256, 32, f16_to_f32(block.d));
  with_min(out, -f16_to_f32(block.dmin));
  const ScalesAndMins packed = unpack_scales_and_mins(block.scales);
  for (int s = 0; s < 8; ++s) {
    out.scale[s] = packed.scale[s];
    out.min[s] = packed.min[s];
  }
  for (int i = 0; i < 256; ++i) {
    out.q[i] = block.qs[i / 64 * 32 + i % 32] >> (4 * (i / 32 % 2)) & 15;
  }
}

}  // namespace

template <>
void read_block<QuantType::Q4_0>(const void* bytes, BlockIntegers& out) {
  const auto block = load<BlockQ4_0>(bytes);
  start(out, 32, 32, f16_to_f32(block.d));
  nibbles(block.qs, out.q);
  for (int i = 0; i < 32; ++i) out.q[i] -= 8;
}

template <>
void read_block<QuantType::Q4_1>(const void* bytes, BlockIntegers& out) {
  const auto block = load<BlockQ4_1>(bytes);
  start(out, 32, 32, f16_to_f32(block.d));
  with_min(out, f16_to_f32(block.m));
  nibbles(block.qs, out.q);
}

template <>
void read_block<QuantType::Q5_0>(const void* bytes, BlockIntegers& out) {
  const auto block = load<BlockQ5_0>(bytes);
  start(out, 32, 32, f16_to_f32(block.d));
  nibbles(block.qs, out.q);
  fifth_bits(block.qh, out.q);
  for (int i = 0; i < 32; ++i) out.q[i] -= 16;
}

template <>
void read_block<QuantType::Q5_1>(const void* bytes, BlockIntegers& out) {
  const auto block = load<BlockQ5_1>(bytes);
  start(out, 32, 32, f16_to_f32(block.d));
  with_min(out, f16_to_f32(block.m));
  nibbles(block.qs, out.q);
  fifth_bits(block.qh, out.q);
}

template <>
void read_block<QuantType::Q8_0>(const void* bytes, BlockIntegers& out) {
  const auto block = load<BlockQ8_0>(bytes);
  start(out, 32, 32, f16_to_f32(block.d));
  for (int i = 0; i < 32; ++i) out.q[i] = block.qs[i];
}

template <>
void read_block<QuantType::Q2_K>(const void* bytes, BlockIntegers& out) {
  const auto block = load<BlockQ2_K>(bytes);
  start(out, 256, 16, f16_to_f32(block.d));
  with_min(out, -f16_to_f32(block.dmin));
  for (int s = 0; s < 16; ++s) {
    out.scale[s] = block.scales[s] & 15;
    out.min[s] = block.scales[s] >> 4;
  }
  for (int i = 0; i < 256; ++i) {
    out.q[i] = block.qs[i / 128 * 32 + i % 32] >> (2 * (i / 32 % 4)) & 3;
  }
}

template <>
void read_block<QuantType::Q3_K>(const void* bytes, BlockIntegers& out) {
  const auto block = load<BlockQ3_K>(bytes);
  start(out, 256, 16, f16_to_f32(block.d));
  std::uint8_t scales[16];
  unpack_q3_k_scales(block.scales, scales);
  for (int s = 0; s < 16; ++s) out.scale[s] = scales[s] - 32;
  for (int i = 0; i < 256; ++i) {
    const int low = block.qs[i / 128 * 32 + i % 32] >> (2 * (i / 32 % 4)) & 3;
    const int high = block.hmask[i % 32] >> (i / 32) & 1;
    out.q[i] = (low | high << 2) - 4;
  }
}

template <>
void read_block<QuantType::Q4_K>(const void* bytes, BlockIntegers& out) {
  read_scaled_nibbles(load<BlockQ4_K>(bytes), out);
}

template <>
void read_block<QuantType::Q5_K>(const void* bytes, BlockIntegers& out) {
  const auto block = load<BlockQ5_K>(bytes);
  read_scaled_nibbles(block, out);
  for (int i = 0; i < 256; ++i) out.q[i] |= (block.qh[i % 32] >> (i / 32) & 1) << 4;
}

template <>
void read_block<QuantType::Q6_K>(const void* bytes, BlockIntegers& out) {
  const auto block = load<BlockQ6_K>(bytes);
  start(out, 256, 16, f16_to_f32(block.d));
  for (int s = 0; s < 16; ++s) out.scale[s] = block.scales[s];
  for (int i = 0; i < 256; ++i) {
    const int h = i / 128;
    const int j = i / 32 % 4;
    const int l = i % 32;
    const int low = block.ql[64 * h + 32 * (j % 2) + l] >> (4 * (j / 2)) & 15;
    const int high = block.qh[32 * h + l] >> (2 * j) & 3;
    out.q[i] = (low | high << 4) - 32;
  }
}

template <>
void read_block<QuantType::IQ4_NL>(const void* bytes, BlockIntegers& out) {
  const auto block = load<BlockIQ4_NL>(bytes);
  start(out, 32, 32, f16_to_f32(block.d));
  nibbles(block.qs, out.q);
  for (int i = 0; i < 32; ++i) out.q[i] = kIq4Values[out.q[i]];
}

template <>
void read_block<QuantType::IQ4_XS>(const void* bytes, BlockIntegers& out) {
  const auto block = load<BlockIQ4_XS>(bytes);
  start(out, 256, 32, f16_to_f32(block.d));
  for (int s = 0; s < 8; ++s) {
    const int low = block.scales_l[s / 2] >> (4 * (s % 2)) & 15;
    const int high = block.scales_h >> (2 * s) & 3;
    out.scale[s] = (low | high << 4) - 32;
    nibbles(block.qs + 16 * s, out.q + 32 * s);
  }
  for (int i = 0; i < 256; ++i) out.q[i] = kIq4Values[out.q[i]];
}

template <>
void read_block<QuantType::MXFP4>(const void* bytes, BlockIntegers& out) {
  const auto block = load<BlockMXFP4>(bytes);
  start(out, 32, 32, half_of_mx_scale(block.e));
  nibbles(block.qs, out.q);
  for (int i = 0; i < 32; ++i) out.q[i] = kE2M1Doubled[out.q[i]];
}

}  // namespace hearth::kernels::scalar
