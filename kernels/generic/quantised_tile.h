// The matrix kernels of all quantised types, written once in terms of a level's vectors S (its
// simd.h) and a type's Codec (generic/codec.h). A tile is kPanels panels of rows times kColumns
// columns of a strip; every lane computes the statement of scalar/matmul.h for one row, so neither
// the shape of a tile nor the level shows in a result.
#pragma once

#include "kernels/generic/codec.h"
#include "kernels/generic/panel_walk.h"

namespace hearth::kernels {
namespace {

/// What the sum of sub-block s begins with: 0, or the bias that takes the quants' offset away.
template <class S, class Codec>
inline typename S::Int start_sum(const Strip& x, std::size_t b, int s, int column) {
  if constexpr (Codec::kOperand == Operand::plain) {
    return S::zero();
  } else {
    // There is one bias per 32 elements in q8_32, per 16 in q8_128.
    constexpr std::size_t kBiasesPerBlock = Codec::kSubBlocks == 1 ? 1 : 16;
    const std::size_t row = b * kBiasesPerBlock + static_cast<std::size_t>(s * Codec::kQuads / 4);
    typename S::Int bias = S::broadcast(strip_at(x.bias, x, row, column));
    if constexpr (kBiasesPerBlock == 16 && Codec::kQuads == 8) {
      bias = S::add(bias, S::broadcast(strip_at(x.bias, x, row + 1, column)));
    }
    if constexpr (Codec::kOperand == Operand::is_signed) {
      return S::signed_start(bias);
    } else {
      return S::shift_right_signed(bias, 7 - Codec::kLogOffset - Codec::kUp);
    }
  }
}

/// With few columns the weights come from memory, and some processors' own prefetching is not
/// enough: this far ahead is asked for explicitly. (A hint: it may point past the panels.)
inline constexpr std::size_t kPrefetchAhead = 2560;
inline constexpr int kPrefetchedColumns = 8;

template <class S, class Codec>
struct QuantisedTile {
  using Int = typename S::Int;
  using Float = typename S::Float;
  static constexpr QuantType kType = Codec::kType;
  /// A super-block of 256 elements has two scales of x, a plain block of 32 one.
  static constexpr int kParts = Codec::kSubBlocks == 1 ? 1 : 2;
  static constexpr std::size_t kBlockBytes = sizeof(typename Codec::Stored) * S::kLanes;
  static constexpr int kSubBlocksOfPart = Codec::kSubBlocks / kParts;

  template <int kPanels, int kColumns>
  static void run(const std::byte* const (&panels)[kPanels], const Strip& columns, int column,
                  Float (&out)[kPanels][kColumns]) {
    Strip x = columns;
    // Known to the compiler, the width becomes part of every address.
    if constexpr (S::kMostColumns == kStripColumns) x.width = kColumns;
    for (auto& row : out) {
      for (Float& sum : row) sum = S::zero_float();
    }
    Codec codecs[kPanels];
    for (int p = 0; p < kPanels; ++p) codecs[p] = Codec(panels[p], x.length);
    const std::size_t n_blocks = x.length / (Codec::kSubBlocks * Codec::kQuads * 4);
    for (std::size_t b = 0; b < n_blocks; ++b) {
#pragma GCC unroll 8
      for (int p = 0; p < kPanels; ++p) {
        const std::byte* ahead = panels[p] + b * kBlockBytes + kPrefetchAhead;
        add_block(codecs[p].block(b), x, b, column, ahead, out[p]);
      }
    }
  }

 private:
  /// out += one block of the panel times the same block of the columns.
  template <class Block, int kColumns>
  static inline __attribute__((always_inline)) void add_block(const Block& w, const Strip& x,
                                                              std::size_t b, int column,
                                                              const std::byte* ahead,
                                                              Float (&out)[kColumns]) {
    Float total[kColumns];  // T of the statement
#pragma GCC unroll 2
    for (int p = 0; p < kParts; ++p) {
      Float t[kColumns];
#pragma GCC unroll 8
      for (int s = p * kSubBlocksOfPart; s < (p + 1) * kSubBlocksOfPart; ++s) {
        Int sum[kColumns];
        add_sub_block(w, x, b, s, column, ahead, sum);
        if constexpr (Codec::kSubBlocks == 1) {
          for (int c = 0; c < kColumns; ++c) t[c] = S::to_float(sum[c]);
        } else {
          const Float scale = S::to_float(w.scale(s));
          const bool is_first = s == p * kSubBlocksOfPart;
          for (int c = 0; c < kColumns; ++c) {
            const Float f = S::to_float(sum[c]);
            t[c] = is_first ? S::mul(scale, f) : S::fma(scale, f, t[c]);
          }
        }
      }
      for (int c = 0; c < kColumns; ++c) {
        const Float scale = scale_of(x, b, p, column + c);
        total[c] = p == 0 ? S::mul(scale, t[c]) : S::fma(scale, t[c], total[c]);
      }
    }
    for (int c = 0; c < kColumns; ++c) {
      if constexpr (Codec::kHasMin) {
        out[c] = S::fma(w.m, scaled_min_sum(w, x, b, column + c), out[c]);
      }
      out[c] = S::fma(w.d, total[c], out[c]);
    }
  }

  static Float scale_of(const Strip& x, std::size_t b, int part, int column) {
    return S::broadcast(strip_at(x.scales, x, b * kParts + static_cast<std::size_t>(part), column));
  }

  /// U of the statement.
  template <class Block>
  static Float scaled_min_sum(const Block& w, const Strip& x, std::size_t b, int column) {
    Float sum = S::mul(scale_of(x, b, 0, column), S::to_float(w.min_sum(x, b, 0, column)));
    for (int p = 1; p < kParts; ++p) {
      sum = S::fma(scale_of(x, b, p, column), S::to_float(w.min_sum(x, b, p, column)), sum);
    }
    return sum;
  }

  /// part = the products of sub-block s.
  template <class Block, int kColumns>
  static inline __attribute__((always_inline)) void add_sub_block(const Block& w, const Strip& x,
                                                                  std::size_t b, int s, int column,
                                                                  const std::byte* ahead,
                                                                  Int (&part)[kColumns]) {
    constexpr int kQuadsPerBlock = Codec::kSubBlocks * Codec::kQuads;
    for (int c = 0; c < kColumns; ++c) part[c] = start_sum<S, Codec>(x, b, s, column + c);
#pragma GCC unroll 8
    for (int i = 0; i < Codec::kQuads; ++i) {
      const auto row = b * kQuadsPerBlock + static_cast<std::size_t>(s * Codec::kQuads + i);
      const std::int8_t* quads = x.quants + 4 * (row * static_cast<std::size_t>(x.width) +
                                                 static_cast<std::size_t>(column));
      if constexpr (kColumns <= kPrefetchedColumns) prefetch(ahead, s * Codec::kQuads + i);
      Int quad = w.quad(s, i);
      if constexpr (Codec::kOperand == Operand::is_signed) {
        quad = S::signed_operand(quad);
        for (int c = 0; c < kColumns; ++c) part[c] = S::signed_dot(part[c], quad, quads + 4 * c);
      } else {
        for (int c = 0; c < kColumns; ++c) part[c] = S::dot(part[c], quad, quads + 4 * c);
      }
    }
  }

  /// Asks for the lines that stand as far into the block at `ahead` as quad q stands into its own.
  static inline __attribute__((always_inline)) void prefetch(const std::byte* ahead, int q) {
    constexpr int kLines = static_cast<int>(kBlockBytes / 64);
    constexpr int kQuadsPerBlock = Codec::kSubBlocks * Codec::kQuads;
    for (int line = q * kLines / kQuadsPerBlock; line < (q + 1) * kLines / kQuadsPerBlock; ++line) {
      __builtin_prefetch(ahead + 64 * line);
    }
  }
};

}  // namespace
}  // namespace hearth::kernels
