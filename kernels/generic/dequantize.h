// Rows to floats, in the operations of a level's Floats. The statements: scalar/dequantize_*.cpp.
//
// A run is sixteen elements. Whatever the type, the quants of a run are put together as signed
// bytes; those become floats, are scaled and stored. Products are exact (quant_blocks.h), so fma
// rounds once, as the statement does. Rows need no alignment: a block is read by its fields'
// offsets.
#pragma once

#include <cstring>

#include "kernels/generic/bytes.h"
#include "kernels/kernel_table.h"
#include "kernels/quant_blocks.h"

namespace hearth::kernels {
namespace {

template <class Number>
inline Number number_at(const std::byte* p) {
  Number number;
  std::memcpy(&number, p, sizeof number);
  return number;
}

template <class S>
inline typename S::V half_at(const std::byte* p) {
  return S::set_half(number_at<Half>(p));
}

// --- Plain types: two runs and one scale ---------------------------------------------------------

/// Run 0 stands in the low nibbles, run 1 in the high ones.
inline Bytes nibbles_of(const std::byte* qs, int run) {
  return bits_of(load_16_bytes(qs), 4 * run, 4, 0);
}

/// Bit 4 of a run's elements, one bit for each in qh.
inline Bytes fifth_bits_of(const std::byte* qh, int run) {
  constexpr std::uint64_t kEachByte = 0x0101010101010101U;
  constexpr std::uint64_t kEachBit = 0x8040201008040201U;
  const auto two_bytes = number_at<std::uint16_t>(qh + 2 * run);
  const Bytes spread = bytes_of((two_bytes & 255) * kEachByte, (two_bytes >> 8) * kEachByte);
  const Bytes single = spread & bytes_of(kEachBit, kEachBit);
  return reinterpret_cast<Bytes>(single != 0) & 16;
}

/// What most plain types are: the scale is the half that they begin with, and there is no minimum.
template <class Block, QuantType type>
struct PlainUnpack {
  using Stored = Block;
  static constexpr QuantType kType = type;
  static constexpr bool kHasMin = false;

  template <class S>
  static typename S::V scale(const std::byte* block) {
    return half_at<S>(block + offsetof(Stored, d));
  }
};

struct UnpackQ4_0 : PlainUnpack<BlockQ4_0, QuantType::Q4_0> {
  template <class S>
  static Bytes quants(const std::byte* block, int run) {
    return nibbles_of(block + offsetof(Stored, qs), run) - 8;
  }
};

struct UnpackQ4_1 : PlainUnpack<BlockQ4_1, QuantType::Q4_1> {
  static constexpr bool kHasMin = true;
  template <class S>
  static Bytes quants(const std::byte* block, int run) {
    return nibbles_of(block + offsetof(Stored, qs), run);
  }
};

struct UnpackQ5_0 : PlainUnpack<BlockQ5_0, QuantType::Q5_0> {
  template <class S>
  static Bytes quants(const std::byte* block, int run) {
    return (nibbles_of(block + offsetof(Stored, qs), run) |
            fifth_bits_of(block + offsetof(Stored, qh), run)) -
           16;
  }
};

struct UnpackQ5_1 : PlainUnpack<BlockQ5_1, QuantType::Q5_1> {
  static constexpr bool kHasMin = true;
  template <class S>
  static Bytes quants(const std::byte* block, int run) {
    return nibbles_of(block + offsetof(Stored, qs), run) |
           fifth_bits_of(block + offsetof(Stored, qh), run);
  }
};

struct UnpackQ8_0 : PlainUnpack<BlockQ8_0, QuantType::Q8_0> {
  template <class S>
  static Bytes quants(const std::byte* block, int run) {
    return load_16_bytes(block + offsetof(Stored, qs) + 16 * run);
  }
};

struct UnpackIQ4_NL : PlainUnpack<BlockIQ4_NL, QuantType::IQ4_NL> {
  template <class S>
  static Bytes quants(const std::byte* block, int run) {
    return S::look_up(load_16_bytes(kIq4Values), nibbles_of(block + offsetof(Stored, qs), run));
  }
};

struct UnpackMXFP4 : PlainUnpack<BlockMXFP4, QuantType::MXFP4> {
  template <class S>
  static Bytes quants(const std::byte* block, int run) {
    return S::look_up(load_16_bytes(kE2M1Doubled), nibbles_of(block + offsetof(Stored, qs), run));
  }
  /// 2^(e - 128), subnormal for e < 2, NaN for e = 255 (scalar/mx_scale.h).
  template <class S>
  static typename S::V scale(const std::byte* block) {
    const auto e = number_at<std::uint8_t>(block + offsetof(Stored, e));
    const std::int32_t bits = e == 255 ? 0x7fc00000 : e < 2 ? 0x00200000 << e : (e - 1) << 23;
    return S::as_float(S::set(bits));
  }
};

template <class S, class Type>
void dequantize_plain(const void* row, float* out, std::size_t n) {
  using Block = typename Type::Stored;
  const auto* block = static_cast<const std::byte*>(row);
  for (std::size_t i = 0; i < n; i += kBlockElements, block += sizeof(Block)) {
    const auto d = Type::template scale<S>(block);
#pragma GCC unroll 2
    for (int run = 0; run < 2; ++run) {
      const auto q = S::to_float(Type::template quants<S>(block, run));
      float* to = out + i + 16 * static_cast<std::size_t>(run);
      if constexpr (Type::kHasMin) {
        S::store(to, S::fma(d, q, half_at<S>(block + offsetof(Block, m))));
      } else {
        S::store(to, S::mul(d, q));
      }
    }
  }
}

// --- Super-blocks: sixteen runs; the scales of all sub-blocks are sixteen bytes at most ----------

/// Eight nibbles, or eight pairs of bits, to a byte each.
constexpr std::uint64_t spread_nibbles(std::uint32_t nibbles) {
  std::uint64_t x = nibbles;
  x = (x | x << 16) & 0x0000ffff0000ffffU;
  x = (x | x << 8) & 0x00ff00ff00ff00ffU;
  return (x | x << 4) & 0x0f0f0f0f0f0f0f0fU;
}
constexpr std::uint64_t spread_pairs(std::uint16_t pairs) {
  std::uint64_t x = pairs;
  x = (x | x << 24) & 0x000000ff000000ffU;
  x = (x | x << 12) & 0x000f000f000f000fU;
  return (x | x << 6) & 0x0303030303030303U;
}

struct UnpackQ2_K {
  using Stored = BlockQ2_K;
  static constexpr QuantType kType = QuantType::Q2_K;
  static constexpr int kRunsOfScale = 1;
  static constexpr bool kHasMin = true;

  static Bytes scales(const std::byte* block) {
    return bits_of(load_16_bytes(block + offsetof(Stored, scales)), 0, 4, 0);
  }
  static Bytes mins(const std::byte* block) {
    return bits_of(load_16_bytes(block + offsetof(Stored, scales)), 4, 4, 0);
  }
  template <class S>
  static Bytes quants(const std::byte* block, int run) {
    const std::byte* qs = block + offsetof(Stored, qs) + 32 * (run / 8) + 16 * (run % 2);
    return bits_of(load_16_bytes(qs), 2 * (run % 8 / 2), 2, 0);
  }
};

struct UnpackQ3_K {
  using Stored = BlockQ3_K;
  static constexpr QuantType kType = QuantType::Q3_K;
  static constexpr int kRunsOfScale = 1;
  static constexpr bool kHasMin = false;

  static Bytes scales(const std::byte* block) {
    const auto nibbles = number_at<std::uint64_t>(block + offsetof(Stored, scales));
    const std::uint64_t pairs = number_at<std::uint32_t>(block + offsetof(Stored, scales) + 8);
    constexpr std::uint64_t kLow = 0x0f0f0f0f0f0f0f0fU;
    // Four pairs of bits in each byte: those of scales 0 to 3 lowest.
    const std::uint64_t early = pairs << 4 | pairs << 34;
    const std::uint64_t late = pairs | pairs << 30;
    constexpr std::uint64_t kHigh = 0x3030303030303030U;
    return bytes_of((nibbles & kLow) | (early & kHigh), (nibbles >> 4 & kLow) | (late & kHigh)) -
           32;
  }
  template <class S>
  static Bytes quants(const std::byte* block, int run) {
    const int odd = 16 * (run % 2);
    const Bytes qs = load_16_bytes(block + offsetof(Stored, qs) + 32 * (run / 8) + odd);
    const Bytes hmask = load_16_bytes(block + offsetof(Stored, hmask) + odd);
    return (bits_of(qs, 2 * (run % 8 / 2), 2, 0) | bits_of(hmask, run / 2, 1, 2)) - 4;
  }
};

/// Q4_K and Q5_K: two times eight numbers of six bits, the upper two bits of the last four in those
/// of the first four.
template <class Block>
struct SixBitUnpack {
  using Stored = Block;
  static constexpr int kRunsOfScale = 2;
  static constexpr bool kHasMin = true;

  static Bytes scales(const std::byte* block) { return eight(block, 0); }
  static Bytes mins(const std::byte* block) { return eight(block, 4); }

 private:
  static Bytes eight(const std::byte* block, int first) {
    const std::byte* packed = block + offsetof(Stored, scales);
    const auto early = number_at<std::uint32_t>(packed + first);
    const auto late = number_at<std::uint32_t>(packed + 8) >> first;
    const std::uint32_t low = early & 0x3f3f3f3fU;
    const std::uint64_t high = (late & 0x0f0f0f0fU) | (early >> 2 & 0x30303030U);
    return bytes_of(low | high << 32, 0);
  }
};

struct UnpackQ4_K : SixBitUnpack<BlockQ4_K> {
  static constexpr QuantType kType = QuantType::Q4_K;
  template <class S>
  static Bytes quants(const std::byte* block, int run) {
    const std::byte* qs = block + offsetof(Stored, qs) + 32 * (run / 4) + 16 * (run % 2);
    return bits_of(load_16_bytes(qs), 4 * (run / 2 % 2), 4, 0);
  }
};

struct UnpackQ5_K : SixBitUnpack<BlockQ5_K> {
  static constexpr QuantType kType = QuantType::Q5_K;
  template <class S>
  static Bytes quants(const std::byte* block, int run) {
    const int odd = 16 * (run % 2);
    const Bytes qs = load_16_bytes(block + offsetof(Stored, qs) + 32 * (run / 4) + odd);
    const Bytes qh = load_16_bytes(block + offsetof(Stored, qh) + odd);
    return bits_of(qs, 4 * (run / 2 % 2), 4, 0) | bits_of(qh, run / 2, 1, 4);
  }
};

struct UnpackQ6_K {
  using Stored = BlockQ6_K;
  static constexpr QuantType kType = QuantType::Q6_K;
  static constexpr int kRunsOfScale = 1;
  static constexpr bool kHasMin = false;

  static Bytes scales(const std::byte* block) {
    return load_16_bytes(block + offsetof(Stored, scales));
  }
  template <class S>
  static Bytes quants(const std::byte* block, int run) {
    const int half = run / 8;
    const int j = run % 8 / 2;
    const int odd = 16 * (run % 2);
    const Bytes ql = load_16_bytes(block + offsetof(Stored, ql) + 64 * half + 32 * (j % 2) + odd);
    const Bytes qh = load_16_bytes(block + offsetof(Stored, qh) + 32 * half + odd);
    return (bits_of(ql, 4 * (j / 2), 4, 0) | bits_of(qh, 2 * j, 2, 4)) - 32;
  }
};

struct UnpackIQ4_XS {
  using Stored = BlockIQ4_XS;
  static constexpr QuantType kType = QuantType::IQ4_XS;
  static constexpr int kRunsOfScale = 2;
  static constexpr bool kHasMin = false;

  static Bytes scales(const std::byte* block) {
    const auto low = number_at<std::uint32_t>(block + offsetof(Stored, scales_l));
    const auto high = number_at<std::uint16_t>(block + offsetof(Stored, scales_h));
    return bytes_of(spread_nibbles(low) | spread_pairs(high) << 4, 0) - 32;
  }
  template <class S>
  static Bytes quants(const std::byte* block, int run) {
    const std::byte* qs = block + offsetof(Stored, qs) + 16 * (run / 2);
    return S::look_up(load_16_bytes(kIq4Values), nibbles_of(qs, run % 2));
  }
};

template <class S, class Type>
void dequantize_super(const void* row, float* out, std::size_t n) {
  using Block = typename Type::Stored;
  const auto* block = static_cast<const std::byte*>(row);
  for (std::size_t i = 0; i < n; i += kSuperBlockElements, block += sizeof(Block)) {
    float scales[16], mins[16];
    const auto d = half_at<S>(block + offsetof(Block, d));
    S::store(scales, S::mul(d, S::to_float(Type::scales(block))));
    if constexpr (Type::kHasMin) {
      const auto minus_dmin = S::mul(half_at<S>(block + offsetof(Block, dmin)), S::set(-1.0F));
      S::store(mins, S::mul(minus_dmin, S::to_float(Type::mins(block))));
    }
#pragma GCC unroll 16
    for (int run = 0; run < 16; ++run) {
      const auto q = S::to_float(Type::template quants<S>(block, run));
      const auto scale = S::set(scales[run / Type::kRunsOfScale]);
      float* to = out + i + 16 * static_cast<std::size_t>(run);
      if constexpr (Type::kHasMin) {
        S::store(to, S::fma(scale, q, S::set(mins[run / Type::kRunsOfScale])));
      } else {
        S::store(to, S::mul(scale, q));
      }
    }
  }
}

// --- Halves: every element by itself -------------------------------------------------------------

template <class S, typename S::V (*load)(const void*)>
void dequantize_halves(const void* row, float* out, std::size_t n) {
  const auto* halves = static_cast<const std::byte*>(row);
  std::size_t i = 0;
  for (; i + 16 <= n; i += 16) S::store(out + i, load(halves + 2 * i));
  if (i == n) return;
  std::uint16_t rest[16] = {};
  std::memcpy(rest, halves + 2 * i, 2 * (n - i));
  S::store_first(out + i, load(rest), n - i);
}

// F32 is a copy at every level.
template <class S>
void install_dequantize(PerType<DequantizeRow>& table) {
  const auto plain = [&]<class... Types>(Types...) {
    ((table[Types::kType] = dequantize_plain<S, Types>), ...);
  };
  const auto super = [&]<class... Types>(Types...) {
    ((table[Types::kType] = dequantize_super<S, Types>), ...);
  };
  plain(UnpackQ4_0{}, UnpackQ4_1{}, UnpackQ5_0{}, UnpackQ5_1{}, UnpackQ8_0{}, UnpackIQ4_NL{},
        UnpackMXFP4{});
  super(UnpackQ2_K{}, UnpackQ3_K{}, UnpackQ4_K{}, UnpackQ5_K{}, UnpackQ6_K{}, UnpackIQ4_XS{});
  table[QuantType::F16] = dequantize_halves<S, S::load_half>;
  table[QuantType::BF16] = dequantize_halves<S, S::load_bf16>;
}

}  // namespace
}  // namespace hearth::kernels
