// Sixteen floats, and sixteen 32-bit integers, as NEON holds them: four registers each. The
// operations are those of avx512/floats.h.
//
// In an unnamed namespace, as everything in this folder but the install function: code that was
// compiled for this level must never be merged with that of another.
#pragma once

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/generic/bytes.h"

namespace hearth::kernels {
namespace {

struct Floats {
  struct V {  // 16 floats
    float32x4_t part[4];
  };
  struct I {  // 16 32-bit integers
    int32x4_t part[4];
  };
  /// Sums that stay in registers beside a few operands.
  static constexpr int kSums = 6;

  static V zero() { return set(0.0F); }
  static V set(float v) {
    return floats([&](int) { return vdupq_n_f32(v); });
  }
  static V load(const float* p) {
    return floats([&](int i) { return vld1q_f32(p + 4 * i); });
  }
  static void store(float* p, V a) {
    for (int i = 0; i < 4; ++i) vst1q_f32(p + 4 * i, a.part[i]);
  }

  static V load_half(const void* p) {
    const auto* bytes = static_cast<const std::uint8_t*>(p);
    return floats([&](int i) { return vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(bytes + 8 * i))); });
  }
  static V set_half(std::uint16_t half) {
    return floats([&](int) { return vcvt_f32_f16(vreinterpret_f16_u16(vdup_n_u16(half))); });
  }
  static V load_bf16(const void* p) {
    const auto* bytes = static_cast<const std::uint8_t*>(p);
    return floats([&](int i) {
      const uint16x4_t halves = vreinterpret_u16_u8(vld1_u8(bytes + 8 * i));
      return vreinterpretq_f32_u32(vshll_n_u16(halves, 16));
    });
  }
  static V load_bytes(const void* p) { return to_float(load_16_bytes(p)); }
  /// Rounded to nearest, ties to even, as f32_to_f16 does.
  static void store_half(std::uint16_t* p, V a) {
    for (int i = 0; i < 4; ++i) {
      vst1_u16(p + 4 * i, vreinterpret_u16_f16(vcvt_f16_f32(a.part[i])));
    }
  }
  /// The first n lanes, 1 to 15; nothing past them is touched. The other lanes are zero.
  static V load_first(const float* p, std::size_t n) {
    float lanes[16] = {};
    std::memcpy(lanes, p, n * sizeof *p);
    return load(lanes);
  }
  static void store_first(float* p, V a, std::size_t n) {
    float lanes[16];
    store(lanes, a);
    std::memcpy(p, lanes, n * sizeof *p);
  }
  static V keep_first(V a, std::size_t n) {
    float lanes[16];
    store(lanes, a);
    return load_first(lanes, n);
  }

  static V add(V a, V b) {
    return floats([&](int i) { return vaddq_f32(a.part[i], b.part[i]); });
  }
  static V sub(V a, V b) {
    return floats([&](int i) { return vsubq_f32(a.part[i], b.part[i]); });
  }
  static V mul(V a, V b) {
    return floats([&](int i) { return vmulq_f32(a.part[i], b.part[i]); });
  }
  static V div(V a, V b) {
    return floats([&](int i) { return vdivq_f32(a.part[i], b.part[i]); });
  }
  static V fma(V a, V b, V c) {
    return floats([&](int i) { return vfmaq_f32(c.part[i], a.part[i], b.part[i]); });
  }
  static V absolute(V a) {
    return floats([&](int i) { return vabsq_f32(a.part[i]); });
  }
  /// a where a > b, else b: b if either is NaN.
  static V max(V a, V b) {
    return floats([&](int i) { return larger(a.part[i], b.part[i]); });
  }
  static float largest(V a) {
    return vmaxvq_f32(larger(larger(a.part[0], a.part[1]), larger(a.part[2], a.part[3])));
  }

  /// Lane j + lane j + 8, then the lanes 4, 2 and 1 apart.
  static float sum(V a) {
    const float32x4_t of_4 = vaddq_f32(vaddq_f32(a.part[0], a.part[2]),  //
                                       vaddq_f32(a.part[1], a.part[3]));
    const float32x2_t of_2 = vadd_f32(vget_low_f32(of_4), vget_high_f32(of_4));
    return vget_lane_f32(of_2, 0) + vget_lane_f32(of_2, 1);
  }
  /// Four floats, in each quarter.
  static V set_quarters(const float* p) {
    const float32x4_t four = vld1q_f32(p);
    return {{four, four, four, four}};
  }
  /// In each quarter, the sums of that quarter of a, b, c and d: lanes 2 and then 1 apart.
  static V sums_of_quarters(V a, V b, V c, V d) {
    return floats([&](int i) {
      const float32x4_t ab =
          vaddq_f32(vzip1q_f32(a.part[i], b.part[i]), vzip2q_f32(a.part[i], b.part[i]));
      const float32x4_t cd =
          vaddq_f32(vzip1q_f32(c.part[i], d.part[i]), vzip2q_f32(c.part[i], d.part[i]));
      return vaddq_f32(vcombine_f32(vget_low_f32(ab), vget_low_f32(cd)),
                       vcombine_f32(vget_high_f32(ab), vget_high_f32(cd)));
    });
  }
  /// Quarter i to out + i * stride.
  static void store_quarters(float* out, std::size_t stride, V a) {
    for (std::size_t i = 0; i < 4; ++i) vst1q_f32(out + i * stride, a.part[i]);
  }
  /// `yes` in the lanes where a < b, else `no`: also where either is NaN.
  static V where_less(V a, V b, V yes, V no) {
    return floats(
        [&](int i) { return vbslq_f32(vcltq_f32(a.part[i], b.part[i]), yes.part[i], no.part[i]); });
  }
  /// Lanes 0 and 1 change places, 2 and 3, and so on.
  static V swap_neighbours(V a) {
    return floats([&](int i) { return vrev64q_f32(a.part[i]); });
  }

  static I bits(V a) {
    return integers([&](int i) { return vreinterpretq_s32_f32(a.part[i]); });
  }
  static V as_float(I a) {
    return floats([&](int i) { return vreinterpretq_f32_s32(a.part[i]); });
  }
  static I set(std::int32_t v) {
    return integers([&](int) { return vdupq_n_s32(v); });
  }
  /// 0, 1, 2 ...
  static I lane_numbers() {
    constexpr int32x4_t kFirst = {0, 1, 2, 3};
    return integers([&](int i) { return vaddq_s32(kFirst, vdupq_n_s32(4 * i)); });
  }
  static I absolute(I a) {
    return integers([&](int i) { return vabsq_s32(a.part[i]); });
  }
  static V to_float(I a) {
    return floats([&](int i) { return vcvtq_f32_s32(a.part[i]); });
  }
  static V to_float(Bytes signed_bytes) {
    const auto bytes = reinterpret_cast<int8x16_t>(signed_bytes);
    const int16x8_t low = vmovl_s8(vget_low_s8(bytes));
    const int16x8_t high = vmovl_high_s8(bytes);
    return to_float(I{{vmovl_s16(vget_low_s16(low)), vmovl_high_s16(low),
                       vmovl_s16(vget_low_s16(high)), vmovl_high_s16(high)}});
  }
  /// Each byte 0..15 becomes that entry of a table of 16 bytes.
  static Bytes look_up(Bytes table, Bytes index) {
    return reinterpret_cast<Bytes>(
        vqtbl1q_u8(reinterpret_cast<uint8x16_t>(table), reinterpret_cast<uint8x16_t>(index)));
  }
  static I add(I a, I b) {
    return integers([&](int i) { return vaddq_s32(a.part[i], b.part[i]); });
  }
  static I bit_and(I a, I b) {
    return integers([&](int i) { return vandq_s32(a.part[i], b.part[i]); });
  }
  static I bit_or(I a, I b) {
    return integers([&](int i) { return vorrq_s32(a.part[i], b.part[i]); });
  }
  template <int n>
  static I shift_left(I a) {
    return integers([&](int i) { return vshlq_n_s32(a.part[i], n); });
  }
  template <int n>
  static I shift_right(I a) {
    return integers([&](int i) {
      return vreinterpretq_s32_u32(vshrq_n_u32(vreinterpretq_u32_s32(a.part[i]), n));
    });
  }
  /// `yes` in the lanes where a > b as signed integers, else `no`.
  static I where_greater(I a, I b, I yes, I no) {
    return integers(
        [&](int i) { return vbslq_s32(vcgtq_s32(a.part[i], b.part[i]), yes.part[i], no.part[i]); });
  }
  /// To the nearest integer, ties to even.
  static I nearest(V a) {
    return integers([&](int i) { return vcvtnq_s32_f32(a.part[i]); });
  }
  /// The same as a float.
  static V rounded(V a) {
    return floats([&](int i) { return vrndnq_f32(a.part[i]); });
  }

  /// The low 16 bits of every lane.
  static void store_low_16(std::uint16_t* p, I a) {
    for (int i = 0; i < 4; ++i) vst1_u16(p + 4 * i, low_16(a.part[i]));
  }
  /// 64 lanes of -128..127 as bytes.
  static void store_low_8(std::int8_t* p, I a, I b, I c, I d) {
    store_low_8(p, a);
    store_low_8(p + 16, b);
    store_low_8(p + 32, c);
    store_low_8(p + 48, d);
  }

  /// out[i] = the sum of bytes[16 i .. 16 i + 15], for 256 bytes.
  static void sums_of_16(const std::int8_t* bytes, std::int32_t* out) {
    for (int i = 0; i < 16; ++i) out[i] = vaddlvq_s8(vld1q_s8(bytes + 16 * i));
  }

  /// out[i * stride + j] = columns[j][i], for i and j below 4.
  static void transpose_4(const std::uint32_t* const* columns, std::size_t first,
                          std::uint32_t* out, std::size_t stride) {
    const uint32x4_t a = vld1q_u32(columns[0] + first);
    const uint32x4_t b = vld1q_u32(columns[1] + first);
    const uint32x4_t c = vld1q_u32(columns[2] + first);
    const uint32x4_t d = vld1q_u32(columns[3] + first);
    const uint64x2_t ab_low = vreinterpretq_u64_u32(vzip1q_u32(a, b));
    const uint64x2_t ab_high = vreinterpretq_u64_u32(vzip2q_u32(a, b));
    const uint64x2_t cd_low = vreinterpretq_u64_u32(vzip1q_u32(c, d));
    const uint64x2_t cd_high = vreinterpretq_u64_u32(vzip2q_u32(c, d));
    vst1q_u32(out, vreinterpretq_u32_u64(vzip1q_u64(ab_low, cd_low)));
    vst1q_u32(out + stride, vreinterpretq_u32_u64(vzip2q_u64(ab_low, cd_low)));
    vst1q_u32(out + 2 * stride, vreinterpretq_u32_u64(vzip1q_u64(ab_high, cd_high)));
    vst1q_u32(out + 3 * stride, vreinterpretq_u32_u64(vzip2q_u64(ab_high, cd_high)));
  }

 private:
  /// The four parts, each from `part(its number)`.
  template <class Part>
  static V floats(Part part) {
    return {{part(0), part(1), part(2), part(3)}};
  }
  template <class Part>
  static I integers(Part part) {
    return {{part(0), part(1), part(2), part(3)}};
  }
  static void store_low_8(std::int8_t* p, I a) {
    const uint8x8_t low = vmovn_u16(vcombine_u16(low_16(a.part[0]), low_16(a.part[1])));
    const uint8x8_t high = vmovn_u16(vcombine_u16(low_16(a.part[2]), low_16(a.part[3])));
    vst1q_s8(p, vreinterpretq_s8_u8(vcombine_u8(low, high)));
  }
  static float32x4_t larger(float32x4_t a, float32x4_t b) {
    return vbslq_f32(vcgtq_f32(a, b), a, b);
  }
  static uint16x4_t low_16(int32x4_t a) { return vmovn_u32(vreinterpretq_u32_s32(a)); }
};

}  // namespace
}  // namespace hearth::kernels
