// The matrix kernels of all quantised types, written once in terms of a level's vectors S (its
// simd.h) and a type's Codec (generic/codec.h). A tile is kPanels panels of rows times kColumns
// columns of a strip; every lane computes the statement of scalar/matmul.h for one row, so neither
// the shape of a tile nor the level shows in a result.
#pragma once

#include "kernels/generic/codec.h"
#include "kernels/generic/panel_prefetch.h"
#include "kernels/generic/panel_walk.h"
#include "kernels/generic/products.h"

namespace hearth::kernels {
namespace {

/// What the sum of sub-block s begins with: 0, or the bias that takes the quants' offset away.
template <class S, class Codec>
inline typename S::Int start_sum(const Strip& x, int s, int column) {
  if constexpr (Codec::kOperand == Operand::plain) {
    return S::zero();
  } else {
    // There is one bias per 32 elements in q8_32, per 16 in q8_128.
    const auto row = static_cast<std::size_t>(s * Codec::kQuads / 4);
    typename S::Int bias = S::broadcast(strip_at(x.bias, x, row, column));
    if constexpr (Codec::kSubBlocks > 1 && Codec::kQuads == 8) {
      bias = S::add(bias, S::broadcast(strip_at(x.bias, x, row + 1, column)));
    }
    if constexpr (Codec::kOperand == Operand::is_signed) {
      return S::signed_start(bias);
    } else {
      return S::shift_right_signed(bias, 7 - Codec::kLogOffset - Codec::kUp);
    }
  }
}

template <class S, class Codec>
struct QuantisedTile {
  using Int = typename S::Int;
  using Float = typename S::Float;
  static constexpr QuantType kType = Codec::kType;
  static constexpr int kQuadsPerBlock = Codec::kSubBlocks * Codec::kQuads;
  /// A super-block of 256 elements has two scales of x, a plain block of 32 one.
  static constexpr int kParts = Codec::kSubBlocks == 1 ? 1 : 2;
  static constexpr int kSubBlocksOfPart = Codec::kSubBlocks / kParts;
  static constexpr bool kAddsWhole = !is_exact_in_floats<Codec>();
  static constexpr std::size_t kBlockBytes = sizeof(typename Codec::Stored) * S::kLanes;

  template <int kPanels, int kColumns>
  static void run(const std::byte* const (&panels)[kPanels], std::size_t second_plane,
                  const Strip& columns, int column, Float (&out)[kPanels][kColumns]) {
    Strip x = columns;
    // Known to the compiler, the width becomes part of every address.
    if constexpr (S::kMostColumns == kStripColumns) x.width = kColumns;
    for (auto& row : out) {
      for (Float& sum : row) sum = S::zero_float();
    }
    Codec codecs[kPanels];
    for (int p = 0; p < kPanels; ++p) codecs[p] = Codec(panels[p], second_plane);
    using Prefetch = PanelPrefetch<kPanels, kBlockBytes, kQuadsPerBlock>;
    Prefetch prefetch(panels);
    const std::size_t n_blocks = x.length / (kQuadsPerBlock * 4);
    for (std::size_t b = 0; b < n_blocks; ++b) {
      const Strip at = strip_from<Codec>(x, b, column);
#pragma GCC unroll 1
      for (int p = 0; p < kPanels; ++p) {
        add_block(codecs[p].block(b), at, typename Prefetch::Share(prefetch, p), out[p]);
      }
      prefetch.next_block();
    }
  }

  /// Whether to take two panels beside half a strip's columns. A column's quads then stand in a
  /// register for both panels instead of being loaded for each, where loads are else as many as
  /// products; but a panel is unpacked twice.
  static constexpr bool kInPairs = [] {
    if constexpr (requires { requires S::kFewLoads && Codec::kSubBlocks == 1; }) {
      return Codec::kUnpacksFast;
    }
    return false;
  }();

  /// As run(), of two panels beside kColumns of a strip of kStripColumns.
  template <int kColumns>
  static inline __attribute__((always_inline)) void run_pair(const std::byte* const (&panels)[2],
                                                             std::size_t second_plane,
                                                             const Strip& columns, int column,
                                                             Float (&out)[2][kColumns]) {
    Strip x = columns;
    x.width = kStripColumns;
    // Unrolled, all of them: a loop that g++ leaves rolled keeps its sums in memory.
#pragma GCC unroll 6
    for (int c = 0; c < kColumns; ++c) out[0][c] = out[1][c] = S::zero_float();
    const Codec codecs[2] = {Codec(panels[0], second_plane), Codec(panels[1], second_plane)};
    const std::size_t n_blocks = x.length / (kQuadsPerBlock * 4);
    for (std::size_t b = 0; b < n_blocks; ++b) {
      const Strip at = strip_from<Codec>(x, b, column);
      const auto first = codecs[0].block(b);
      const auto second = codecs[1].block(b);
      Int sums[2][kColumns];
#pragma GCC unroll 6
      for (int c = 0; c < kColumns; ++c) sums[0][c] = sums[1][c] = start_sum<S, Codec>(at, 0, c);
#pragma GCC unroll 8
      for (int i = 0; i < Codec::kQuads; ++i) {
        const Int quads[2] = {operand(first.quad(0, i)), operand(second.quad(0, i))};
        const std::int8_t* of_columns = quads_at(at, i);
#pragma GCC unroll 6
        for (int c = 0; c < kColumns; ++c) {
          const Int four = S::load_four(of_columns + 4 * c);
          sums[0][c] = S::dot(sums[0][c], quads[0], four);
          sums[1][c] = S::dot(sums[1][c], quads[1], four);
        }
      }
#pragma GCC unroll 6
      for (int c = 0; c < kColumns; ++c) {
        const Float scale = scale_of(at, 0, c);
        add_scaled_block(first, at, c, S::mul(scale, S::to_float(sums[0][c])), out[0][c]);
        add_scaled_block(second, at, c, S::mul(scale, S::to_float(sums[1][c])), out[1][c]);
      }
    }
  }

 private:
  /// A quad as the first operand of S::dot().
  static Int operand(Int quad) {
    return Codec::kOperand == Operand::is_signed ? S::signed_operand(quad) : quad;
  }

  /// out += a block whose products, scaled, are `total` (T of the statement).
  template <class Block>
  static inline __attribute__((always_inline)) void add_scaled_block(const Block& w, const Strip& x,
                                                                     int column, Float total,
                                                                     Float& out) {
    if constexpr (Codec::kHasMin) out = S::fma(w.m, scaled_min_sum(w, x, column), out);
    out = S::fma(w.d, total, out);
  }

  /// out += one block of the panel times the same block of the columns.
  template <class Block, class Prefetch, int kColumns>
  static inline __attribute__((always_inline)) void add_block(const Block& w, const Strip& x,
                                                              const Prefetch& ahead,
                                                              Float (&out)[kColumns]) {
    Float total[kColumns];  // T of the statement
#pragma GCC unroll 2
    for (int p = 0; p < kParts; ++p) {
      Float t[kColumns];
      Int whole[kColumns];
#pragma GCC unroll 8
      for (int s = p * kSubBlocksOfPart; s < (p + 1) * kSubBlocksOfPart; ++s) {
        Int sum[kColumns];
        add_sub_block(w, x, s, ahead, sum);
        add_scaled(w, s, sum, t, whole);
      }
      if constexpr (kAddsWhole) {
        for (int c = 0; c < kColumns; ++c) t[c] = S::to_float(whole[c]);
      }
      for (int c = 0; c < kColumns; ++c) {
        const Float scale = scale_of(x, p, c);
        total[c] = p == 0 ? S::mul(scale, t[c]) : S::fma(scale, t[c], total[c]);
      }
    }
    for (int c = 0; c < kColumns; ++c) add_scaled_block(w, x, c, total[c], out[c]);
  }

  /// t or whole += the sum of sub-block s times its scale.
  template <class Block, int kColumns>
  static inline __attribute__((always_inline)) void add_scaled(const Block& w, int s,
                                                               const Int (&sum)[kColumns],
                                                               Float (&t)[kColumns],
                                                               Int (&whole)[kColumns]) {
    const bool is_first = s % kSubBlocksOfPart == 0;
    if constexpr (Codec::kSubBlocks == 1) {
      for (int c = 0; c < kColumns; ++c) t[c] = S::to_float(sum[c]);
    } else if constexpr (kAddsWhole) {
      const Int scale = w.scale(s);
      for (int c = 0; c < kColumns; ++c) {
        const Int product = S::mul(scale, sum[c]);
        whole[c] = is_first ? product : S::add(whole[c], product);
      }
    } else {
      const Float scale = S::to_float(w.scale(s));
      for (int c = 0; c < kColumns; ++c) {
        const Float f = S::to_float(sum[c]);
        t[c] = is_first ? S::mul(scale, f) : S::fma(scale, f, t[c]);
      }
    }
  }

  static Float scale_of(const Strip& x, int part, int column) {
    return S::broadcast(strip_at(x.scales, x, static_cast<std::size_t>(part), column));
  }

  /// U of the statement.
  template <class Block>
  static Float scaled_min_sum(const Block& w, const Strip& x, int column) {
    Float sum = S::mul(scale_of(x, 0, column), S::to_float(w.min_sum(x, 0, column)));
    for (int p = 1; p < kParts; ++p) {
      sum = S::fma(scale_of(x, p, column), S::to_float(w.min_sum(x, p, column)), sum);
    }
    return sum;
  }

  /// part = the products of sub-block s.
  template <class Block, class Prefetch, int kColumns>
  static inline __attribute__((always_inline)) void add_sub_block(const Block& w, const Strip& x,
                                                                  int s, const Prefetch& ahead,
                                                                  Int (&part)[kColumns]) {
    for (int c = 0; c < kColumns; ++c) part[c] = start_sum<S, Codec>(x, s, c);
    if constexpr (S::kProducts == Products::of_pairs && kColumns > 1) {
      add_pairs(w, x, s, ahead, part);
      return;
    }
#pragma GCC unroll 8
    for (int i = 0; i < Codec::kQuads; ++i) {
      const int row = s * Codec::kQuads + i;
      const std::int8_t* quads = quads_at(x, row);
      if constexpr (kColumns <= kPrefetchedColumns) ahead.step(row);
      Int quad = w.quad(s, i);
      if constexpr (S::kProducts != Products::of_one_column) {
        S::dot_columns(part, quad, quads);
      } else if constexpr (Codec::kOperand == Operand::is_signed) {
        quad = S::signed_operand(quad);
        for (int c = 0; c < kColumns; ++c) part[c] = S::signed_dot(part[c], quad, quads + 4 * c);
      } else {
        for (int c = 0; c < kColumns; ++c) part[c] = S::dot(part[c], quad, quads + 4 * c);
      }
    }
  }

  /// The products of sub-block s by matrices: two quads of two rows with those of two columns. The
  /// sums of a pair of columns are a matrix of the early rows and one of the late rows, which are
  /// put in the order of columns at the end.
  template <class Block, class Prefetch, int kColumns>
  static inline __attribute__((always_inline)) void add_pairs(const Block& w, const Strip& x, int s,
                                                              const Prefetch& ahead,
                                                              Int (&part)[kColumns]) {
    Int early[kColumns / 2], late[kColumns / 2];
    for (Int& sum : early) sum = S::zero();
    for (Int& sum : late) sum = S::zero();
#pragma GCC unroll 4
    for (int i = 0; i < Codec::kQuads; i += 2) {
      const int row = s * Codec::kQuads + i;
      ahead.step(row);
      ahead.step(row + 1);
      const Int first = w.quad(s, i), second = w.quad(s, i + 1);
      const Int early_rows = S::interleave_low(first, second);
      const Int late_rows = S::interleave_high(first, second);
      for (int c = 0; c < kColumns; c += 2) {
        const Int columns = S::interleave_low(S::load_two(quads_at(x, row) + 4 * c),
                                              S::load_two(quads_at(x, row + 1) + 4 * c));
        early[c / 2] = S::multiply_pair(early[c / 2], early_rows, columns);
        late[c / 2] = S::multiply_pair(late[c / 2], late_rows, columns);
      }
    }
    for (int c = 0; c < kColumns; c += 2) {
      part[c] = S::add(part[c], S::even_lanes(early[c / 2], late[c / 2]));
      part[c + 1] = S::add(part[c + 1], S::odd_lanes(early[c / 2], late[c / 2]));
    }
  }

  static const std::int8_t* quads_at(const Strip& x, int row) {
    return x.quants + 4 * static_cast<std::size_t>(row * x.width);
  }
};

}  // namespace
}  // namespace hearth::kernels
