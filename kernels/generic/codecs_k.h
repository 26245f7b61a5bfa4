// Codecs (generic/codec.h) of the types with super-blocks of 256 elements. Layouts: quant_blocks.h
// for the block, panels.cpp for what a panel makes of it. s counts sub-blocks and i the quads of
// one; both are constants once the tile's loops are unrolled.
#pragma once

#include "kernels/generic/codec.h"
#include "kernels/quant_blocks.h"

namespace hearth::kernels {
namespace {

/// Scales and minima of Q4_K and Q5_K: 8 numbers of 6 bits each, as bytes of two vectors.
template <class S>
struct SixBitScales {
  using Int = typename S::Int;
  Int scale_low, scale_high, min_low, min_high;

  explicit SixBitScales(const std::byte* units) {
    const Int a = S::load(units);
    const Int b = S::load(units + 4 * S::kLanes);
    const Int c = S::load(units + 8 * S::kLanes);
    const Int six = S::set(four(63));
    const Int nibble = S::set(four(15));
    const Int top = S::set(four(48));
    scale_low = S::bit_and(a, six);
    min_low = S::bit_and(b, six);
    scale_high = S::bit_or(S::bit_and(c, nibble), S::bit_and(S::template shift_right<2>(a), top));
    min_high = S::bit_or(S::bit_and(S::template shift_right<4>(c), nibble),
                         S::bit_and(S::template shift_right<2>(b), top));
  }

  Int scale(int s) const { return byte_of<S>(s < 4 ? scale_low : scale_high, s % 4); }

  /// The minima of sub-blocks 2p and 2p + 1 as 16-bit integers.
  Int min_pair(int p) const {
    const Int bytes = p < 2 ? min_low : min_high;
    const Int first = p % 2 == 0 ? bytes : S::template shift_right<16>(bytes);
    const Int second =
        p % 2 == 0 ? S::template shift_left<8>(bytes) : S::template shift_right<8>(bytes);
    return S::bit_or(S::bit_and(first, S::set(0xff)), S::bit_and(second, S::set(0xff0000)));
  }
};

/// u of Q4_K and Q5_K for half a super-block: the sum over sub-blocks of min * sum of q_x.
template <class S>
inline typename S::Int paired_min_sum(const SixBitScales<S>& packed, const Strip& x, int half,
                                      int column) {
  const auto row = static_cast<std::size_t>(2 * half);
  const typename S::Int sum =
      S::dot_pairs(S::zero(), packed.min_pair(2 * half), strip_at(x.sum_pairs, x, row, column));
  return S::dot_pairs(sum, packed.min_pair(2 * half + 1),
                      strip_at(x.sum_pairs, x, row + 1, column));
}

template <class S>
struct CodecQ4_K {
  using Int = typename S::Int;
  static constexpr QuantType kType = QuantType::Q4_K;
  using Stored = BlockQ4_K;
  static constexpr int kSubBlocks = 8, kQuads = 8;
  static constexpr Operand kOperand = Operand::plain;
  static constexpr int kBits = 4, kUp = 0;
  static constexpr int kLargest = 63 * 15;
  static constexpr bool kHasMin = true;

  CodecQ4_K() = default;
  CodecQ4_K(const std::byte* panel, std::size_t) : blocks(panel) {}

  struct Block {
    typename S::Float d, m;
    SixBitScales<S> packed;
    const std::byte* units;

    Int quad(int s, int i) const {
      const Int w = S::load(units + (8 * (s / 2) + i) * 4 * S::kLanes);
      return S::bit_and(s % 2 == 0 ? w : S::template shift_right<4>(w), S::set(four(15)));
    }
    Int scale(int s) const { return packed.scale(s); }
    Int min_sum(const Strip& x, int half, int column) const {
      return paired_min_sum<S>(packed, x, half, column);
    }
  };
  Block block(std::size_t b) const {
    const std::byte* at = blocks + b * 144 * S::kLanes;
    return {S::load_half(at), S::negated(S::load_half(at + 2 * S::kLanes)),
            SixBitScales<S>(at + 4 * S::kLanes), at + 16 * S::kLanes};
  }

  const std::byte* blocks;
};

template <class S>
struct CodecQ5_K {
  using Int = typename S::Int;
  static constexpr QuantType kType = QuantType::Q5_K;
  using Stored = BlockQ5_K;
  static constexpr int kSubBlocks = 8, kQuads = 8;
  static constexpr Operand kOperand = Operand::plain;
  static constexpr int kBits = 5, kUp = 0;
  static constexpr int kLargest = 63 * 31;
  static constexpr bool kHasMin = true;

  CodecQ5_K() = default;
  CodecQ5_K(const std::byte* panel, std::size_t) : blocks(panel) {}

  struct Block {
    typename S::Float d, m;
    SixBitScales<S> packed;
    const std::byte* high;  // 8 units: bit s is bit 4 of sub-block s
    const std::byte* units;

    Int quad(int s, int i) const {
      const Int w = S::load(units + (8 * (s / 2) + i) * 4 * S::kLanes);
      const Int low = S::bit_and(s % 2 == 0 ? w : S::template shift_right<4>(w), S::set(four(15)));
      const Int h = S::load(high + i * 4 * S::kLanes);
      const Int fifth = s < 4 ? S::shift_left(h, 4 - s) : S::shift_right(h, s - 4);
      return S::bit_or(low, S::bit_and(fifth, S::set(four(16))));
    }
    Int scale(int s) const { return packed.scale(s); }
    Int min_sum(const Strip& x, int half, int column) const {
      return paired_min_sum<S>(packed, x, half, column);
    }
  };
  Block block(std::size_t b) const {
    const std::byte* at = blocks + b * 176 * S::kLanes;
    return {S::load_half(at), S::negated(S::load_half(at + 2 * S::kLanes)),
            SixBitScales<S>(at + 4 * S::kLanes), at + 16 * S::kLanes, at + 48 * S::kLanes};
  }

  const std::byte* blocks;
};

template <class S>
struct CodecQ6_K {
  using Int = typename S::Int;
  static constexpr QuantType kType = QuantType::Q6_K;
  using Stored = BlockQ6_K;
  static constexpr int kSubBlocks = 16, kQuads = 4;
  static constexpr Operand kOperand = Operand::offset;
  static constexpr int kLogOffset = 5, kBits = 6, kUp = up_shift<S>(kLogOffset);
  static constexpr int kLargest = 128 * 32;
  static constexpr bool kHasMin = false;

  CodecQ6_K() = default;
  CodecQ6_K(const std::byte* panel, std::size_t second_plane)
      : scales(panel), blocks(panel + second_plane) {}

  struct Block {
    typename S::Float d;
    const std::byte* scales;  // 4 units of 4 signed bytes
    const std::byte* low;     // 32 units
    const std::byte* high;    // 16 units

    Int quad(int s, int i) const {
      const int h = s / 8;
      const int j = s % 8 / 2;
      const int l = 4 * (s % 2) + i;
      const Int four_bits = S::load(low + (16 * h + 8 * (j % 2) + l) * 4 * S::kLanes);
      const Int two_bits = S::load(high + (8 * h + l) * 4 * S::kLanes);
      return S::bit_or(S::bit_and(shifted(four_bits, kUp - 4 * (j / 2)), S::set(four(15 << kUp))),
                       S::bit_and(shifted(two_bits, kUp + 4 - 2 * j), S::set(four(48 << kUp))));
    }
    Int scale(int s) const {
      const Int four_scales = S::load(scales + s / 4 * 4 * S::kLanes);
      return S::shift_right_signed(S::shift_left(four_scales, 24 - 8 * (s % 4)), 24);
    }
    /// Left by n, or right by -n.
    static Int shifted(Int a, int n) {
      return n >= 0 ? S::shift_left(a, n) : S::shift_right(a, -n);
    }
  };
  Block block(std::size_t b) const {
    const std::byte* at = blocks + b * 208 * S::kLanes;
    return {S::mul(S::load_half(scales + b * 2 * S::kLanes), S::set_float(power_of_half(kUp))), at,
            at + 16 * S::kLanes, at + 144 * S::kLanes};
  }

  const std::byte* scales;
  const std::byte* blocks;
};

/// Two bits of every element, as Q2_K and Q3_K have them.
template <class S, int kUp>
inline typename S::Int low_two_bits(const std::byte* units, int s, int i) {
  const int shift = kUp - 2 * (s % 8 / 2);
  const typename S::Int w = S::load(units + (8 * (s / 8) + 4 * (s % 2) + i) * 4 * S::kLanes);
  return S::bit_and(shift >= 0 ? S::shift_left(w, shift) : S::shift_right(w, -shift),
                    S::set(four(3 << kUp)));
}

template <class S>
struct CodecQ2_K {
  using Int = typename S::Int;
  static constexpr QuantType kType = QuantType::Q2_K;
  using Stored = BlockQ2_K;
  static constexpr int kSubBlocks = 16, kQuads = 4;
  static constexpr Operand kOperand = Operand::plain;
  static constexpr int kBits = 2, kUp = 0;
  static constexpr int kLargest = 15 * 3;
  static constexpr bool kHasMin = true;

  CodecQ2_K() = default;
  CodecQ2_K(const std::byte* panel, std::size_t) : blocks(panel) {}

  struct Block {
    typename S::Float d, m;
    const std::byte* scales;  // 4 units: per sub-block a byte, scale low and minimum high
    const std::byte* units;   // 16

    Int quad(int s, int i) const { return low_two_bits<S, 0>(units, s, i); }
    Int scale(int s) const {
      return S::bit_and(S::shift_right(S::load(scales + s / 4 * 4 * S::kLanes), 8 * (s % 4)),
                        S::set(15));
    }
    Int min_sum(const Strip& x, int half, int column) const {
      Int sum = S::zero();
#pragma GCC unroll 8
      for (int s = 8 * half; s < 8 * half + 8; ++s) {
        const Int min = S::bit_and(
            S::shift_right(S::load(scales + s / 4 * 4 * S::kLanes), 8 * (s % 4) + 4), S::set(15));
        const auto row = static_cast<std::size_t>(s);
        sum = S::add(sum, S::mul(min, S::broadcast(strip_at(x.bias, x, row, column))));
      }
      return sum;
    }
  };
  Block block(std::size_t b) const {
    const std::byte* at = blocks + b * 84 * S::kLanes;
    // x.bias is -128 times the sums that u is made of, and m is -dmin.
    return {S::load_half(at),
            S::mul(S::load_half(at + 2 * S::kLanes), S::set_float(power_of_half(7))),
            at + 4 * S::kLanes, at + 20 * S::kLanes};
  }

  const std::byte* blocks;
};

template <class S>
struct CodecQ3_K {
  using Int = typename S::Int;
  static constexpr QuantType kType = QuantType::Q3_K;
  using Stored = BlockQ3_K;
  static constexpr int kSubBlocks = 16, kQuads = 4;
  static constexpr Operand kOperand = Operand::offset;
  static constexpr int kLogOffset = 2, kBits = 3, kUp = up_shift<S>(kLogOffset);
  static constexpr int kLargest = 32 * 4;
  static constexpr bool kHasMin = false;

  CodecQ3_K() = default;
  CodecQ3_K(const std::byte* panel, std::size_t second_plane)
      : scales(panel), blocks(panel + second_plane) {}

  struct Block {
    typename S::Float d;
    const std::byte* packed;  // 3 units of scales
    const std::byte* high;    // 8 units: bit 4h + j is bit 2 of q
    const std::byte* units;   // 16

    Int quad(int s, int i) const {
      const int shift = kUp + 2 - (4 * (s / 8) + s % 8 / 2);
      const Int h = S::load(high + (4 * (s % 2) + i) * 4 * S::kLanes);
      const Int third = shift >= 0 ? S::shift_left(h, shift) : S::shift_right(h, -shift);
      return S::bit_or(low_two_bits<S, kUp>(units, s, i),
                       S::bit_and(third, S::set(four(4 << kUp))));
    }
    Int scale(int s) const {
      const Int nibbles = S::load(packed + s / 4 % 2 * 4 * S::kLanes);
      const Int tops = S::load(packed + 8 * S::kLanes);
      const Int low = S::bit_and(S::shift_right(nibbles, 8 * (s % 4) + 4 * (s / 8)), S::set(15));
      const Int top = S::bit_and(S::shift_right(tops, 8 * (s % 4) + 2 * (s / 4)), S::set(3));
      return S::sub(S::bit_or(low, S::template shift_left<4>(top)), S::set(32));
    }
  };
  Block block(std::size_t b) const {
    const std::byte* at = blocks + b * 108 * S::kLanes;
    return {S::mul(S::load_half(scales + b * 2 * S::kLanes), S::set_float(power_of_half(kUp))), at,
            at + 12 * S::kLanes, at + 44 * S::kLanes};
  }

  const std::byte* scales;
  const std::byte* blocks;
};

template <class S>
struct CodecIQ4_XS {
  using Int = typename S::Int;
  static constexpr QuantType kType = QuantType::IQ4_XS;
  using Stored = BlockIQ4_XS;
  static constexpr int kSubBlocks = 8, kQuads = 8;
  static constexpr Operand kOperand = Operand::is_signed;
  static constexpr int kBits = 8, kUp = 0;
  static constexpr int kLargest = 32 * 127;
  static constexpr bool kHasMin = false;

  CodecIQ4_XS() = default;
  CodecIQ4_XS(const std::byte* panel, std::size_t) : blocks(panel), values(S::table(kIq4Values)) {}

  struct Block {
    typename S::Float d;
    Int scales_high, scales_low, values;
    const std::byte* units;  // 32, four for each sub-block

    Int quad(int s, int i) const {
      const Int w = S::load(units + (4 * s + i % 4) * 4 * S::kLanes);
      return S::look_up(values,
                        S::bit_and(i < 4 ? w : S::template shift_right<4>(w), S::set(four(15))));
    }
    Int scale(int s) const {
      const Int low = S::bit_and(S::shift_right(scales_low, 4 * s), S::set(15));
      const Int high = S::bit_and(S::shift_right(scales_high, 2 * s), S::set(3));
      return S::sub(S::bit_or(low, S::template shift_left<4>(high)), S::set(32));
    }
  };
  Block block(std::size_t b) const {
    const std::byte* at = blocks + b * 136 * S::kLanes;
    return {S::load_half(at), S::load_u16(at + 2 * S::kLanes), S::load(at + 4 * S::kLanes), values,
            at + 8 * S::kLanes};
  }

  const std::byte* blocks;
  Int values;
};

}  // namespace
}  // namespace hearth::kernels
