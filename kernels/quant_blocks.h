// How quantised weights lie in memory: one struct per type, byte for byte as in GGUF files.
//
// A row of a matrix is a run of blocks. Each block holds a fixed number of consecutive elements of
// the row as small integers ("quants"), and what turns them back into floats: a scale `d` and, in
// some types, an offset `m`. The "_K" types (and IQ4_XS) have super-blocks of 256 elements, cut
// into sub-blocks whose own scales are small integers again, relative to the super-block's `d`.
//
// In the pictures below, x[i] is the i-th element of the block, low nibble means bits 0..3 of a
// byte, and every multi-byte field is little-endian. Half means IEEE binary16 (kernels/half.h).
// In every type the products are exact in float (11 bits of scale times a few bits of integers), so
// that a dequantised weight has at most one rounding, in whatever order it is computed.
//
// Format: the GGUF document and ggml-common.h of ggml; MXFP4: OCP Microscaling Formats (MX) v1.0.
#pragma once

#include <bit>
#include <cstdint>

namespace hearth {

static_assert(std::endian::native == std::endian::little,
              "block fields are read as they lie in the file, which is little-endian");

/// An IEEE binary16 number as its bits. See kernels/half.h.
using Half = std::uint16_t;

/// A brain float as its bits: the upper half of an IEEE binary32 number.
using BFloat16 = std::uint16_t;

inline constexpr int kBlockElements = 32;        // of the plain types
inline constexpr int kSuperBlockElements = 256;  // of the K types and IQ4_XS

// --- Plain types: 32 elements, one scale -------------------------------------------------------

/// 4.5 bits per weight. x[i] = d * (q[i] - 8), q in 0..15.
/// Byte i of qs holds q[i] in the low nibble and q[i + 16] in the high one.
struct BlockQ4_0 {
  static constexpr int kElements = kBlockElements;
  Half d;
  std::uint8_t qs[16];
};
static_assert(sizeof(BlockQ4_0) == 18);

/// 5 bits per weight. x[i] = d * q[i] + m, q in 0..15. qs as in Q4_0.
struct BlockQ4_1 {
  static constexpr int kElements = kBlockElements;
  Half d;
  Half m;
  std::uint8_t qs[16];
};
static_assert(sizeof(BlockQ4_1) == 20);

/// 5.5 bits per weight. x[i] = d * (q[i] - 16), q in 0..31.
/// qs holds the lower four bits of q as in Q4_0; bit i of the 32-bit number qh is bit 4 of q[i].
/// (qh is kept as bytes: byte i/8, bit i%8.)
struct BlockQ5_0 {
  static constexpr int kElements = kBlockElements;
  Half d;
  std::uint8_t qh[4];
  std::uint8_t qs[16];
};
static_assert(sizeof(BlockQ5_0) == 22);

/// 6 bits per weight. x[i] = d * q[i] + m, q in 0..31. qh and qs as in Q5_0.
struct BlockQ5_1 {
  static constexpr int kElements = kBlockElements;
  Half d;
  Half m;
  std::uint8_t qh[4];
  std::uint8_t qs[16];
};
static_assert(sizeof(BlockQ5_1) == 24);

/// 8.5 bits per weight. x[i] = d * q[i], q in -127..127 (-128 is read, never written).
struct BlockQ8_0 {
  static constexpr int kElements = kBlockElements;
  Half d;
  std::int8_t qs[32];
};
static_assert(sizeof(BlockQ8_0) == 34);

// --- K types: super-blocks of 256 elements -----------------------------------------------------

/// 2.625 bits per weight: 16 sub-blocks of 16 elements.
/// Sub-block s: x = d * (scales[s] & 15) * q - dmin * (scales[s] >> 4), q in 0..3.
/// Two bits per element. The 64 bytes of qs serve 128 elements each half (h = 0, 1): bits 2j, 2j+1
/// of qs[32h + l] are q[128h + 32j + l], j in 0..3, l in 0..31.
struct BlockQ2_K {
  static constexpr int kElements = kSuperBlockElements;
  std::uint8_t scales[16];
  std::uint8_t qs[64];
  Half d;
  Half dmin;
};
static_assert(sizeof(BlockQ2_K) == 84);

/// 3.4375 bits per weight: 16 sub-blocks of 16 elements.
/// Sub-block s: x = d * (scale[s] - 32) * (q - 4), scale in 0..63, q in 0..7.
/// The lower two bits of q lie in qs as in Q2_K; bit 2 of q[128h + 32j + l] is bit 4h + j of
/// hmask[l].
/// The 6-bit scales: the lower nibbles of scales[0..7] are the lower four bits of scale[0..7], the
/// upper nibbles those of scale[8..15]; bits 2k, 2k+1 of scales[8 + i] are the upper two bits of
/// scale[4k + i], i and k in 0..3.
struct BlockQ3_K {
  static constexpr int kElements = kSuperBlockElements;
  std::uint8_t hmask[32];
  std::uint8_t qs[64];
  std::uint8_t scales[12];
  Half d;
};
static_assert(sizeof(BlockQ3_K) == 110);

/// 4.5 bits per weight: 8 sub-blocks of 32 elements.
/// Sub-block s: x = d * scale[s] * q - dmin * min[s], scale and min in 0..63, q in 0..15.
/// The nibbles of 32 bytes serve two sub-blocks: the low nibble of qs[32c + l] is q[64c + l], the
/// high one q[64c + 32 + l], c in 0..3, l in 0..31.
/// The 6-bit numbers, i in 0..3: bits 0..5 of scales[i] are scale[i], bits 0..5 of scales[4 + i]
/// are min[i]; the low nibble of scales[8 + i] is the lower four bits of scale[4 + i], whose upper
/// two are bits 6, 7 of scales[i]; the high nibble of scales[8 + i] is the lower four bits of
/// min[4 + i], whose upper two are bits 6, 7 of scales[4 + i].
struct BlockQ4_K {
  static constexpr int kElements = kSuperBlockElements;
  Half d;
  Half dmin;
  std::uint8_t scales[12];
  std::uint8_t qs[128];
};
static_assert(sizeof(BlockQ4_K) == 144);

/// 5.5 bits per weight: as Q4_K with q in 0..31. qs holds the lower four bits as in Q4_K; bit 4 of
/// q[32s + l] is bit s of qh[l], s in 0..7, l in 0..31.
struct BlockQ5_K {
  static constexpr int kElements = kSuperBlockElements;
  Half d;
  Half dmin;
  std::uint8_t scales[12];
  std::uint8_t qh[32];
  std::uint8_t qs[128];
};
static_assert(sizeof(BlockQ5_K) == 176);

/// 6.5625 bits per weight: 16 sub-blocks of 16 elements.
/// Sub-block s: x = d * scales[s] * (q - 32), scales in -128..127, q in 0..63.
/// Each half of the super-block (h = 0, 1; l in 0..31) has 64 bytes of ql and 32 of qh. Lower four
/// bits of q: low nibble of ql[64h + l] for q[128h + l], of ql[64h + 32 + l] for q[128h + 32 + l];
/// high nibbles of the same bytes for q[128h + 64 + l] and q[128h + 96 + l]. Upper two bits of
/// q[128h + 32j + l]: bits 2j, 2j+1 of qh[32h + l], j in 0..3.
struct BlockQ6_K {
  static constexpr int kElements = kSuperBlockElements;
  std::uint8_t ql[128];
  std::uint8_t qh[64];
  std::int8_t scales[16];
  Half d;
};
static_assert(sizeof(BlockQ6_K) == 210);

// --- Codebook types: four bits choose one of sixteen values --------------------------------------

/// The values of IQ4_NL and IQ4_XS: denser around zero, as weights are (ggml's table).
inline constexpr std::int8_t kIq4Values[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                               1,    13,   25,  38,  53,  69,  89,  113};

/// Twice the values of a 4-bit float with 2 exponent bits and 1 mantissa bit (E2M1): 0, 0.5,
/// 1, 1.5, 2, 3, 4, 6 and the same negative; doubled to be integers.
inline constexpr std::int8_t kE2M1Doubled[16] = {0, 1,  2,  3,  4,  6,  8,  12,
                                                 0, -1, -2, -3, -4, -6, -8, -12};

/// 4.5 bits per weight. x[i] = d * kIq4Values[q[i]]. qs as in Q4_0.
struct BlockIQ4_NL {
  static constexpr int kElements = kBlockElements;
  Half d;
  std::uint8_t qs[16];
};
static_assert(sizeof(BlockIQ4_NL) == 18);

/// 4.25 bits per weight: 8 sub-blocks of 32 elements.
/// Sub-block s: x = d * (scale[s] - 32) * kIq4Values[q], scale in 0..63.
/// The lower four bits of scale[s] are nibble s%2 (0: low) of scales_l[s/2]; the upper two are bits
/// 2s, 2s+1 of scales_h. The 16 bytes qs[16s ...] are as those of Q4_0.
struct BlockIQ4_XS {
  static constexpr int kElements = kSuperBlockElements;
  Half d;
  std::uint16_t scales_h;
  std::uint8_t scales_l[4];
  std::uint8_t qs[128];
};
static_assert(sizeof(BlockIQ4_XS) == 136);

/// 4.25 bits per weight, a microscaling format of the Open Compute Project.
/// x[i] = 2^(e - 127) * E2M1 value q[i]; e = 255 makes the whole block NaN. qs as in Q4_0.
struct BlockMXFP4 {
  static constexpr int kElements = kBlockElements;
  std::uint8_t e;
  std::uint8_t qs[16];
};
static_assert(sizeof(BlockMXFP4) == 17);

}  // namespace hearth
