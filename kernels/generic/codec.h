// What a codec is. A codec reads one quant type's panels (kernels/panels.h) for a level's vectors
// S; the tile (generic/quantised_tile.h) is written in terms of it:
//
//   kType                  the quant type
//   Stored                 its block in a file
//   kSubBlocks, kQuads     sub-blocks with a scale of their own, and quads (four elements) in each
//   kOperand               how quads are multiplied, see Operand
//   kBits                  quants are below 2^kBits, or in -2^(kBits-1) .. 2^(kBits-1)-1 if signed
//   kLargest               the largest |scale * q|, if there is more than one sub-block
//   kUp                    quads are scaled up by 2^kUp, block().d down
//   kHasMin                whether the type has minima
//   kUnpacksFast           with one sub-block: whether a quad takes an operation or two to unpack
//   Codec(panel, second_plane)  the panel of one group of rows, and how far from its begin its
//                          second plane stands
//   block(b)               block b's header in registers:
//     .d                   the scale
//     .quad(s, i)          quad i of sub-block s
//     .scale(s)            of sub-block s, where there are more than one
//     .m, .min_sum(x, part, column)   m and u of the statement in scalar/matmul.h, if kHasMin, of
//                          the strip from this block on; one may have a power of two that the
//                          other lacks
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/panels.h"
#include "kernels/strips.h"

namespace hearth::kernels {
namespace {

enum class Operand {
  plain,     // unsigned bytes that are q itself
  offset,    // unsigned bytes (q + 2^kLogOffset) * 2^kUp
  is_signed  // signed bytes
};

/// Whether sums of scale * q_w q_x over the 128 elements that share a scale of x are exact as
/// floats, |q_x| being at most 127.
template <class Codec>
constexpr bool is_exact_in_floats() {
  if constexpr (Codec::kSubBlocks == 1) {
    return true;
  } else {
    return Codec::kLargest * 127 * 128 < 1 << 24;
  }
}

/// The strip from block b and `column` on, so that everything a tile reads of it in this block
/// stands at a distance known when it is compiled. The compiler must not see how the pointers come
/// about: it would keep every sum of pointer and distance in a register of its own and run out of
/// registers.
template <class Codec>
inline Strip strip_from(const Strip& x, std::size_t b, int column) {
  constexpr bool kIsPlain = Codec::kSubBlocks == 1;
  Strip at = x;
  const auto advance = [&](auto*& part, std::size_t rows, std::size_t elements) {
    part += (b * rows * static_cast<std::size_t>(x.width) + static_cast<std::size_t>(column)) *
            elements;
    __asm__("" : "+r"(part));
  };
  advance(at.quants, Codec::kSubBlocks * Codec::kQuads, 4);
  advance(at.scales, kIsPlain ? 1 : 2, 1);
  advance(at.bias, kIsPlain ? 1 : 16, 1);
  if constexpr (!kIsPlain) advance(at.sum_pairs, 4, 1);
  return at;
}

/// Row `row`, column `column` of one part of a strip.
template <class Element>
inline const Element* strip_at(const Element* part, const Strip& x, std::size_t row, int column) {
  return part + row * static_cast<std::size_t>(x.width) + static_cast<std::size_t>(column);
}

/// Byte n of every lane, 0..255.
template <class S>
inline typename S::Int byte_of(typename S::Int a, int n) {
  return S::bit_and(S::shift_right(a, 8 * n), S::set(255));
}

/// The same byte four times.
constexpr std::int32_t four(int byte) {
  return static_cast<std::int32_t>(0x01010101u * static_cast<std::uint32_t>(byte));
}

/// How far a level shifts quants whose offset is 2^log_offset: to an offset of 128, or not at all.
template <class S>
constexpr int up_shift(int log_offset) {
  return S::kFullRangeDot ? 7 - log_offset : 0;
}

/// 2^-n.
constexpr float power_of_half(int n) {
  float p = 1.0F;
  for (int i = 0; i < n; ++i) p *= 0.5F;
  return p;
}

}  // namespace
}  // namespace hearth::kernels
