// Codecs (generic/codec.h) of the types with 32 elements per block. Layouts: quant_blocks.h for the
// block, panels.cpp for what a panel makes of it.
#pragma once

#include "kernels/generic/codec.h"
#include "kernels/quant_blocks.h"

namespace hearth::kernels {
namespace {

/// Nibbles of a quad: the low ones of unit i for i < 4, the high ones of unit i - 4 else; shifted
/// up.
template <class S, int kUp>
inline typename S::Int plain_nibbles(const std::byte* units, int i) {
  const typename S::Int w = S::load(units + (i % 4) * 4 * S::kLanes);
  const typename S::Int placed =
      i < 4 ? S::template shift_left<kUp>(w) : S::template shift_right<4 - kUp>(w);
  return S::bit_and(placed, S::set(four(15 << kUp)));
}

/// Bit 4 of the elements of quad i, shifted up by another kUp; qh has bit n for element n.
template <class S, int kUp>
inline typename S::Int plain_fifth_bits(typename S::Int qh, int i) {
  const typename S::Int bits = S::bit_and(S::shift_right(qh, 4 * i), S::set(15));
  // Copies of the four bits at distances of 7 put bit n of them at bit 8 n.
  const typename S::Int spread = S::bit_and(S::mul(bits, S::set(0x00204081)), S::set(four(1)));
  return S::template shift_left<4 + kUp>(spread);
}

template <class S>
struct CodecQ4_0 {
  static constexpr QuantType kType = QuantType::Q4_0;
  using Stored = BlockQ4_0;
  static constexpr int kSubBlocks = 1, kQuads = 8;
  static constexpr Operand kOperand = Operand::offset;
  static constexpr int kLogOffset = 3, kBits = 4, kUp = up_shift<S>(kLogOffset);
  static constexpr bool kHasMin = false;
  static constexpr bool kUnpacksFast = true;

  CodecQ4_0() = default;
  CodecQ4_0(const std::byte* panel, std::size_t second_plane)
      : scales(panel), units(panel + second_plane) {}

  struct Block {
    typename S::Float d;
    const std::byte* units;
    typename S::Int quad(int, int i) const { return plain_nibbles<S, kUp>(units, i); }
  };
  Block block(std::size_t b) const {
    return {S::mul(S::load_half(scales + b * 2 * S::kLanes), S::set_float(power_of_half(kUp))),
            units + b * 16 * S::kLanes};
  }

  const std::byte* scales;
  const std::byte* units;
};

template <class S>
struct CodecQ4_1 {
  static constexpr QuantType kType = QuantType::Q4_1;
  using Stored = BlockQ4_1;
  static constexpr int kSubBlocks = 1, kQuads = 8;
  static constexpr Operand kOperand = Operand::plain;
  static constexpr int kBits = 4, kUp = 0;
  static constexpr bool kHasMin = true;
  static constexpr bool kUnpacksFast = true;

  CodecQ4_1() = default;
  CodecQ4_1(const std::byte* panel, std::size_t) : blocks(panel) {}

  struct Block {
    typename S::Float d, m;
    const std::byte* units;
    typename S::Int quad(int, int i) const { return plain_nibbles<S, 0>(units, i); }
    typename S::Int min_sum(const Strip& x, int, int column) const {
      return S::broadcast(strip_at(x.bias, x, 0, column));
    }
  };
  Block block(std::size_t b) const {
    const std::byte* at = blocks + b * 20 * S::kLanes;
    return {S::load_half(at),
            S::mul(S::load_half(at + 2 * S::kLanes), S::set_float(-power_of_half(7))),
            at + 4 * S::kLanes};
  }

  const std::byte* blocks;
};

template <class S>
struct CodecQ5_0 {
  static constexpr QuantType kType = QuantType::Q5_0;
  using Stored = BlockQ5_0;
  static constexpr int kSubBlocks = 1, kQuads = 8;
  static constexpr Operand kOperand = Operand::offset;
  static constexpr int kLogOffset = 4, kBits = 5, kUp = up_shift<S>(kLogOffset);
  static constexpr bool kHasMin = false;
  static constexpr bool kUnpacksFast = false;

  CodecQ5_0() = default;
  CodecQ5_0(const std::byte* panel, std::size_t second_plane)
      : scales(panel), units(panel + second_plane) {}

  struct Block {
    typename S::Float d;
    typename S::Int qh;
    const std::byte* units;
    typename S::Int quad(int, int i) const {
      return S::bit_or(plain_nibbles<S, kUp>(units, i), plain_fifth_bits<S, kUp>(qh, i));
    }
  };
  Block block(std::size_t b) const {
    const std::byte* at = units + b * 20 * S::kLanes;
    return {S::mul(S::load_half(scales + b * 2 * S::kLanes), S::set_float(power_of_half(kUp))),
            S::load(at), at + 4 * S::kLanes};
  }

  const std::byte* scales;
  const std::byte* units;
};

template <class S>
struct CodecQ5_1 {
  static constexpr QuantType kType = QuantType::Q5_1;
  using Stored = BlockQ5_1;
  static constexpr int kSubBlocks = 1, kQuads = 8;
  static constexpr Operand kOperand = Operand::plain;
  static constexpr int kBits = 5, kUp = 0;
  static constexpr bool kHasMin = true;
  static constexpr bool kUnpacksFast = false;

  CodecQ5_1() = default;
  CodecQ5_1(const std::byte* panel, std::size_t) : blocks(panel) {}

  struct Block {
    typename S::Float d, m;
    typename S::Int qh;
    const std::byte* units;
    typename S::Int quad(int, int i) const {
      return S::bit_or(plain_nibbles<S, 0>(units, i), plain_fifth_bits<S, 0>(qh, i));
    }
    typename S::Int min_sum(const Strip& x, int, int column) const {
      return S::broadcast(strip_at(x.bias, x, 0, column));
    }
  };
  Block block(std::size_t b) const {
    const std::byte* at = blocks + b * 24 * S::kLanes;
    return {S::load_half(at),
            S::mul(S::load_half(at + 2 * S::kLanes), S::set_float(-power_of_half(7))),
            S::load(at + 4 * S::kLanes), at + 8 * S::kLanes};
  }

  const std::byte* blocks;
};

template <class S>
struct CodecQ8_0 {
  static constexpr QuantType kType = QuantType::Q8_0;
  using Stored = BlockQ8_0;
  static constexpr int kSubBlocks = 1, kQuads = 8;
  static constexpr Operand kOperand = Operand::is_signed;
  static constexpr int kBits = 8, kUp = 0;
  static constexpr bool kHasMin = false;
  static constexpr bool kUnpacksFast = true;

  CodecQ8_0() = default;
  CodecQ8_0(const std::byte* panel, std::size_t second_plane)
      : scales(panel), units(panel + second_plane) {}

  struct Block {
    typename S::Float d;
    const std::byte* units;
    typename S::Int quad(int, int i) const { return S::load(units + i * 4 * S::kLanes); }
  };
  Block block(std::size_t b) const {
    return {S::load_half(scales + b * 2 * S::kLanes), units + b * 32 * S::kLanes};
  }

  const std::byte* scales;
  const std::byte* units;
};

template <class S>
struct CodecIQ4_NL {
  static constexpr QuantType kType = QuantType::IQ4_NL;
  using Stored = BlockIQ4_NL;
  static constexpr int kSubBlocks = 1, kQuads = 8;
  static constexpr Operand kOperand = Operand::is_signed;
  static constexpr int kBits = 8, kUp = 0;
  static constexpr bool kHasMin = false;
  static constexpr bool kUnpacksFast = true;

  CodecIQ4_NL() = default;
  CodecIQ4_NL(const std::byte* panel, std::size_t second_plane)
      : scales(panel), units(panel + second_plane), values(S::table(kIq4Values)) {}

  struct Block {
    typename S::Float d;
    const std::byte* units;
    typename S::Int values;
    typename S::Int quad(int, int i) const {
      return S::look_up(values, plain_nibbles<S, 0>(units, i));
    }
  };
  Block block(std::size_t b) const {
    return {S::load_half(scales + b * 2 * S::kLanes), units + b * 16 * S::kLanes, values};
  }

  const std::byte* scales;
  const std::byte* units;
  typename S::Int values;
};

template <class S>
struct CodecMXFP4 {
  static constexpr QuantType kType = QuantType::MXFP4;
  using Stored = BlockMXFP4;
  static constexpr int kSubBlocks = 1, kQuads = 8;
  static constexpr Operand kOperand = Operand::is_signed;
  static constexpr int kBits = 5, kUp = 0;
  static constexpr bool kHasMin = false;
  static constexpr bool kUnpacksFast = true;

  CodecMXFP4() = default;
  CodecMXFP4(const std::byte* panel, std::size_t second_plane)
      : exponents(panel), units(panel + second_plane), values(S::table(kE2M1Doubled)) {}

  struct Block {
    typename S::Float d;
    const std::byte* units;
    typename S::Int values;
    typename S::Int quad(int, int i) const {
      return S::look_up(values, plain_nibbles<S, 0>(units, i));
    }
  };
  Block block(std::size_t b) const {
    return {half_scale(S::load_u8(exponents + b * S::kLanes)), units + b * 16 * S::kLanes, values};
  }

  /// 2^(e - 128), subnormal for e < 2, NaN for e = 255 (scalar/mx_scale.h).
  static typename S::Float half_scale(typename S::Int e) {
    typename S::Int bits = S::template shift_left<23>(S::sub(e, S::set(1)));
    bits = S::where_equal(e, S::set(0), S::set(0x00200000), bits);
    bits = S::where_equal(e, S::set(1), S::set(0x00400000), bits);
    return S::as_float(S::where_equal(e, S::set(255), S::set(0x7fc00000), bits));
  }

  const std::byte* exponents;
  const std::byte* units;
  typename S::Int values;
};

}  // namespace
}  // namespace hearth::kernels
