// The tile of the quantised types for AVX2, in place of generic/quantised_tile.h, which wants a dot
// product that adds to 32-bit sums. AVX2's, vpmaddubsw, gives sums of two products in 16 bits. With
// quants of few bits many of those fit in 16 bits together, so they are added there, and only then
// widened:
//
//   2 to 4 bits   15 * 127 * 2 products * 8 quads = 30480
//   5 bits        31 * 127 * 2 * 4 = 31496
//   6 bits        63 * 127 * 2 * 2 = 32004
//   8 bits        do not fit; w + 128 is cut into two planes of 4 bits
//
// Sixteen registers do not hold unpacked weights as well as sums, so a block is unpacked into
// memory first. That pays from three columns on; before, the generic tile serves. All sums are of
// integers, so the result is that of scalar/matmul.h, bit for bit.
#pragma once

#include <immintrin.h>

#include "kernels/generic/codec.h"
#include "kernels/generic/panel_prefetch.h"
#include "kernels/generic/panel_walk.h"
#include "kernels/generic/quantised_tile.h"

namespace hearth::kernels {
namespace {

template <class S, class Codec>
struct ShortSumTile {
  using Int = typename S::Int;
  using Float = typename S::Float;
  static constexpr QuantType kType = Codec::kType;

  template <int kPanels, int kColumns>
  static void run(const std::byte* const (&panels)[kPanels], std::size_t second_plane,
                  const Strip& x, int, Float (&out)[kPanels][kColumns]) {
    static_assert(S::kMostColumns == kStripColumns, "a tile is as wide as its strip");
    if constexpr (kColumns <= kFewColumns) {
      QuantisedTile<S, Codec>::run(panels, second_plane, x, 0, out);
    } else {
      run_unpacked(panels, second_plane, x, out);
    }
  }

 private:
  static constexpr int kSubBlocks = Codec::kSubBlocks, kQuads = Codec::kQuads;
  static constexpr int kQuadsPerBlock = kSubBlocks * kQuads;
  /// A super-block of 256 elements has two scales of x, a plain block of 32 one.
  static constexpr int kParts = kSubBlocks == 1 ? 1 : 2;
  static constexpr int kSubBlocksOfPart = kSubBlocks / kParts;
  static constexpr bool kHasOffset = Codec::kOperand != Operand::plain;
  static constexpr bool kIsWide = Codec::kBits > 6;
  static constexpr int kMostRun = Codec::kBits == 6 ? 2 : Codec::kBits == 5 ? 4 : 8;
  /// Quads whose products are added in 16 bits.
  static constexpr int kRun = kMostRun < kQuads ? kMostRun : kQuads;
  /// Sums are widened to 2^kUp times what they are: then the offset of the quants is 128, which the
  /// strip's bias takes away.
  static constexpr int kUp = kHasOffset ? 8 - Codec::kBits : 0;

  static constexpr int kFewColumns = 2;
  static constexpr bool kAddsWhole = !is_exact_in_floats<Codec>();
  static constexpr int kPlanes = kIsWide ? 2 : 1;

  template <int kPanels, int kColumns>
  static void run_unpacked(const std::byte* const (&panels)[kPanels], std::size_t second_plane,
                           const Strip& x, Float (&out)[kPanels][kColumns]) {
    for (auto& row : out) {
      for (Float& sum : row) sum = S::zero_float();
    }
    Codec codecs[kPanels];
    for (int p = 0; p < kPanels; ++p) codecs[p] = Codec(panels[p], second_plane);
    using Prefetch =
        PanelPrefetch<kPanels, sizeof(typename Codec::Stored) * S::kLanes, kQuadsPerBlock>;
    Prefetch prefetch(panels);
    const std::size_t n_blocks = x.length / (kQuadsPerBlock * 4);
    for (std::size_t b = 0; b < n_blocks; ++b) {
      const Strip at = strip_from<Codec>(x, b, 0);
#pragma GCC unroll 1
      for (int p = 0; p < kPanels; ++p) {
        add_block(codecs[p].block(b), at, typename Prefetch::Share(prefetch, p), out[p]);
      }
      prefetch.next_block();
    }
  }

  /// A block of the panel as bytes and floats.
  struct Unpacked {
    Int quads[kSubBlocks][kPlanes][kQuads];
    Int scales[kSubBlocks];
  };

  template <class Block, class Prefetch>
  static void unpack(const Block& w, const Prefetch& ahead, Unpacked& to) {
#pragma GCC unroll 16
    for (int s = 0; s < kSubBlocks; ++s) {
#pragma GCC unroll 8
      for (int i = 0; i < kQuads; ++i) {
        ahead.step(s * kQuads + i);
        Int quad = w.quad(s, i);
        if constexpr (Codec::kOperand == Operand::is_signed) {
          quad = _mm256_add_epi8(quad, S::set(four(1 << (Codec::kBits - 1))));
        }
        if constexpr (kPlanes == 1) {
          to.quads[s][0][i] = quad;
        } else {
          const Int nibble = S::set(four(15));
          to.quads[s][0][i] = S::bit_and(quad, nibble);
          to.quads[s][1][i] = S::bit_and(S::template shift_right<4>(quad), nibble);
        }
      }
      if constexpr (kSubBlocks > 1) to.scales[s] = w.scale(s);
    }
  }

  /// out += one block of the panel times the same block of the columns.
  template <class Block, class Prefetch, int kColumns>
  static void add_block(const Block& w, const Strip& x, const Prefetch& ahead,
                        Float (&out)[kColumns]) {
    // As many columns at once as have their sums in registers.
    constexpr int kGroup = kColumns > 6 ? kColumns / 2 : kColumns;
    Unpacked unpacked;
    unpack(w, ahead, unpacked);
    const Float d = S::mul(w.d, S::set_float(power_of_half(kUp)));
#pragma GCC unroll 1
    for (int column = 0; column < kColumns; column += kGroup) {
      Float total[kGroup];  // T of the statement
      for (Float& sum : total) sum = S::zero_float();
#pragma GCC unroll 1
      for (int part = 0; part < kParts; ++part) {
        Float t[kGroup];
        multiply_part<kColumns>(unpacked, x, part, column, t);
        for (int c = 0; c < kGroup; ++c) {
          total[c] = S::fma(scale_of(x, part, column + c), t[c], total[c]);
        }
      }
      for (int c = 0; c < kGroup; ++c) {
        Float& sum = out[column + c];
        if constexpr (Codec::kHasMin) {
          sum = S::fma(w.m, scaled_min_sum(w, x, column + c), sum);
        }
        sum = S::fma(d, total[c], sum);
      }
    }
  }

  static Float scale_of(const Strip& x, int part, int column) {
    return S::broadcast(strip_at(x.scales, x, static_cast<std::size_t>(part), column));
  }

  /// U of the statement.
  template <class Block>
  static Float scaled_min_sum(const Block& w, const Strip& x, int column) {
    Float sum = S::zero_float();
    for (int p = 0; p < kParts; ++p) {
      sum = S::fma(scale_of(x, p, column), S::to_float(w.min_sum(x, p, column)), sum);
    }
    return sum;
  }

  /// t = 2^kUp times t of the statement.
  template <int kWidth, int kGroup>
  static inline __attribute__((always_inline)) void multiply_part(const Unpacked& w, const Strip& x,
                                                                  int part, int column,
                                                                  Float (&t)[kGroup]) {
    Int whole[kGroup];
    for (Float& sum : t) sum = S::zero_float();
    for (Int& sum : whole) sum = S::zero();
#pragma GCC unroll 1
    for (int s = part * kSubBlocksOfPart; s < (part + 1) * kSubBlocksOfPart; ++s) {
      Int products[kGroup];
      multiply<kWidth>(w, x, s, column, products);
      if constexpr (kAddsWhole) {
        for (int c = 0; c < kGroup; ++c) {
          whole[c] = S::add(whole[c], S::mul(w.scales[s], products[c]));
        }
        continue;
      }
      const Float scale = kSubBlocks == 1 ? S::set_float(1.0F) : S::to_float(w.scales[s]);
      for (int c = 0; c < kGroup; ++c) {
        const Float sum = S::to_float(products[c]);
        t[c] = kSubBlocks == 1 ? sum : S::fma(scale, sum, t[c]);
      }
    }
    if constexpr (kAddsWhole) {
      for (int c = 0; c < kGroup; ++c) t[c] = S::to_float(whole[c]);
    }
  }

  /// products = 2^kUp times those of sub-block s.
  template <int kWidth, int kGroup>
  static inline __attribute__((always_inline)) void multiply(const Unpacked& w, const Strip& x,
                                                             int s, int column,
                                                             Int (&products)[kGroup]) {
    const auto first = static_cast<std::size_t>(s * kQuads);
    const std::int8_t* quads = x.quants + 4 * (first * kWidth + static_cast<std::size_t>(column));
    for (int c = 0; c < kGroup; ++c) products[c] = start(x, s, column + c);
    for (int plane = 0; plane < kPlanes; ++plane) {
      const Int widen = _mm256_set1_epi16((plane == 0 ? 1 : 16) << kUp);
      for (int run = 0; run < kQuads; run += kRun) {
        add_run<kWidth>(&w.quads[s][plane][run], quads + 4 * run * kWidth, widen, products);
      }
    }
  }

  /// products += widen times the products of kRun quads, which are added in 16 bits.
  template <int kWidth, int kGroup>
  static inline __attribute__((always_inline)) void add_run(const Int* w, const std::int8_t* x,
                                                            Int widen, Int (&products)[kGroup]) {
    Int sums[kGroup];
#pragma GCC unroll 8
    for (int i = 0; i < kRun; ++i) {
      for (int c = 0; c < kGroup; ++c) {
        const Int pairs = _mm256_maddubs_epi16(w[i], S::quad(x + 4 * (i * kWidth + c)));
        sums[c] = i == 0 ? pairs : _mm256_add_epi16(sums[c], pairs);
      }
    }
    for (int c = 0; c < kGroup; ++c) {
      products[c] = S::add(products[c], _mm256_madd_epi16(sums[c], widen));
    }
  }

  /// What the sum of sub-block s begins with.
  static Int start(const Strip& x, int s, int column) {
    if constexpr (!kHasOffset) return S::zero();
    // There is one bias per 32 elements in q8_32, per 16 in q8_128.
    const auto row = static_cast<std::size_t>(s * kQuads / 4);
    const Int bias = S::broadcast(strip_at(x.bias, x, row, column));
    if constexpr (kSubBlocks == 1 || kQuads == 4) return bias;
    return S::add(bias, S::broadcast(strip_at(x.bias, x, row + 1, column)));
  }
};

}  // namespace
}  // namespace hearth::kernels
