// The types with super-blocks. A tile adds up 32-bit sums of products of bytes, and reading them
// out costs more than the products of a sub-block do. So a sub-block's scale is multiplied into its
// quants beforehand: scale * q has up to 14 bits, which two planes of bytes hold, and
//
//   sum of (scale q) x = sum of low x + 128 * sum of high x
//
// exactly, over all 128 elements that share a scale of x.
#include "kernels/amx/parts.h"
#include "kernels/amx/tiles.h"
#include "kernels/avx512/simd.h"
#include "kernels/generic/codecs_k.h"
#include "kernels/generic/panel_walk.h"
#include "kernels/panels.h"

namespace hearth::kernels::amx {
namespace {

/// Tiles multiply signed bytes, so there is no use for quants that are scaled up.
struct TileSimd : Simd {
  static constexpr bool kFullRangeDot = false;
};

using Int = TileSimd::Int;
using Float = TileSimd::Float;

inline constexpr int kGroup = kTileRows;  // columns that a tile has
/// Panels that use the same columns of a block one after the other, while these are in the
/// first-level cache.
inline constexpr int kPanelsTogether = 4;
inline constexpr int kColumnsTogether = 64;

/// The quads of sub-block s as signed bytes.
template <class Codec, class Block>
inline Int signed_quad(const Block& w, int s, int i) {
  const Int quad = w.quad(s, i);
  if constexpr (Codec::kOperand == Operand::offset) {
    return _mm512_sub_epi8(quad, TileSimd::set(four(1 << Codec::kLogOffset)));
  } else {
    return quad;
  }
}

/// The strip from element `first` on.
inline Strip wide_strip_from(const Strip& x, std::size_t first) {
  const auto width = static_cast<std::size_t>(x.width);
  Strip at = x;
  at.quants += first * width;
  at.scales += first / 128 * width;
  at.bias += first / 16 * width;
  at.sum_pairs += first / 64 * width;
  return at;
}

/// The sums of all columns of a panel to their places.
inline void store_sums(const Float* sums, std::size_t n_rows, int n_columns, MatmulOut out) {
  for (int c = 0; c < n_columns; ++c) {
    const Float column[1] = {sums[c]};
    store_panel<Simd>(column, n_rows, 1, out);
    out.at += out.stride;
    if (out.sums) out.sums += out.sum_stride;
  }
}

template <class Codec>
class KTile {
  static constexpr int kLogPlane = 7;
  static constexpr int kPlanes = Codec::kLargest < 1 << kLogPlane ? 1 : 2;
  static constexpr std::size_t kTileBytes = kTileRows * kTileRowBytes;
  static constexpr int kTilesPerHalf = 2;  // of 64 elements
  /// Minima of sub-blocks of 32, two in a lane; the codec sums up those of 16.
  static constexpr bool kHasMinPairs = Codec::kHasMin && Codec::kQuads == 8;
  static constexpr int kMinPairs = 4;

  /// Of a group of columns: [column][row].
  struct Sums {
    alignas(64) std::int32_t planes[kPlanes][kGroup][Simd::kLanes];
  };

  /// Of a block, in registers.
  struct Minima {
    Int pairs[kMinPairs];
  };

 public:
  static constexpr QuantType kType = Codec::kType;
  static constexpr std::size_t kElements = 256;

  /// A block of the panel.
  struct Unpacked {
    alignas(64) std::int8_t planes[kPlanes][2 * kTilesPerHalf][kTileBytes];
    Int min_pairs[kMinPairs];
  };

  KTile() = default;
  KTile(const std::byte* panel, std::size_t length) : codec_(panel, length) {}

  static constexpr TileShapes shapes() {
    TileShapes shapes;
    for (int tile = 0; tile < 8; ++tile) shapes.set(tile, kTileRows, kTileRowBytes);
    return shapes;
  }

  void unpack(std::size_t first, Unpacked& to) const {
    const auto w = codec_.block(first / kElements);
    unpack_quants(w, to);
    if constexpr (kHasMinPairs) {
      for (int p = 0; p < kMinPairs; ++p) to.min_pairs[p] = w.packed.min_pair(p);
    }
  }

  void add(std::size_t at, const Unpacked& quants, const Strip& x, int first, int last,
           Float* sums) const {
    const auto w = codec_.block(at / kElements);
    alignas(64) Float totals[kColumnsTogether];  // T of the statement after the first half
    add_half<0>(w, quants, x, first, last, totals, sums);
    add_half<1>(w, quants, x, first, last, totals, sums);
  }

 private:
  template <class Block>
  static void unpack_quants(const Block& w, Unpacked& to) {
    constexpr int kQuadsPerTile = kTileBytes / sizeof(Int);
#pragma GCC unroll 16
    for (int s = 0; s < Codec::kSubBlocks; ++s) {
      const Int wide = w.scale(s);
      const Int scale = TileSimd::bit_or(TileSimd::bit_and(wide, TileSimd::set(0xffff)),
                                         TileSimd::shift_left<16>(wide));
#pragma GCC unroll 8
      for (int i = 0; i < Codec::kQuads; ++i) {
        const int quad = s * Codec::kQuads + i;
        const std::size_t at = static_cast<std::size_t>(quad % kQuadsPerTile) * sizeof(Int);
        put_scaled(signed_quad<Codec>(w, s, i), scale, to, quad / kQuadsPerTile, at);
      }
    }
  }

  /// Bytes times 16-bit scales, cut into planes.
  static void put_scaled(Int quad, Int scale, Unpacked& to, int tile, std::size_t at) {
    const Int even_bytes = TileSimd::set(0x00ff00ff);
    constexpr bool kIsSigned = Codec::kOperand != Operand::plain;
    const Int even = kIsSigned ? _mm512_srai_epi16(_mm512_slli_epi16(quad, 8), 8)
                               : TileSimd::bit_and(quad, even_bytes);
    const Int odd = kIsSigned ? _mm512_srai_epi16(quad, 8) : _mm512_srli_epi16(quad, 8);
    const Int p = _mm512_mullo_epi16(even, scale);
    const Int q = _mm512_mullo_epi16(odd, scale);
    const Int low = select(even_bytes, p, _mm512_slli_epi16(q, 8));
    if constexpr (kPlanes == 1) {
      _mm512_store_si512(to.planes[0][tile] + at, low);
    } else {
      const Int high =
          select(even_bytes, _mm512_srai_epi16(p, kLogPlane), _mm512_slli_epi16(q, 8 - kLogPlane));
      _mm512_store_si512(to.planes[0][tile] + at,
                         TileSimd::bit_and(low, TileSimd::set(four((1 << kLogPlane) - 1))));
      _mm512_store_si512(to.planes[1][tile] + at, high);
    }
  }

  /// Bits of a where mask is 1, else of b.
  static Int select(Int mask, Int a, Int b) {
    return _mm512_ternarylogic_epi32(mask, a, b, 0xca);
  }

  /// Half of the block: the 128 elements that share a scale of x. While one group's sums are worked
  /// on, the next one's are made.
  template <int kHalf, class Block>
  static void add_half(const Block& w, const Unpacked& quants, const Strip& x, int first, int last,
                       Float* totals, Float* sums) {
    load_tile<4>(quants.planes[0][2 * kHalf]);
    load_tile<5>(quants.planes[0][2 * kHalf + 1]);
    if constexpr (kPlanes == 2) {
      load_tile<6>(quants.planes[1][2 * kHalf]);
      load_tile<7>(quants.planes[1][2 * kHalf + 1]);
    }
    Minima minima = {};
    if constexpr (kHasMinPairs) {
      for (int p = 0; p < kMinPairs; ++p) minima.pairs[p] = quants.min_pairs[p];
    }
    Sums products[2];
    const Products<kHalf> start(x, first, products[first / kGroup % 2]);
#pragma GCC unroll 16
    for (int c = 0; c < kGroup; ++c) start.step(c);
    for (int column = first; column < last; column += kGroup) {
      const int now = column / kGroup % 2;
      const bool is_last = column + kGroup == last;
      const Products<kHalf> next(x, column + kGroup, products[1 - now]);
#pragma GCC unroll 16
      for (int c = 0; c < kGroup; ++c) {
        if (!is_last) next.step(c);
        add_column<kHalf>(w, minima, x, column + c, products[now], c, totals[column - first + c],
                          sums[column + c]);
      }
    }
  }

  /// The products of a group of columns, an instruction at a time: each of them takes as long as
  /// the vectors' work on a column or two, and the processor does not look far enough ahead to find
  /// the one behind the other.
  template <int kHalf>
  class Products {
   public:
    Products(const Strip& x, int column, Sums& to)
        : left_(x.quants +
                static_cast<std::size_t>(2 * kHalf * x.width + column) * std::size_t{kWideRun}),
          apart_(static_cast<std::size_t>(x.width) * kWideRun),
          to_(to) {}

    /// c: 0 to 15, a constant once loops are unrolled.
    inline __attribute__((always_inline)) void step(int c) const {
      constexpr bool kIsTwo = kPlanes == 2;
      if (c == 0) load_tile<2>(left_);
      if (c == 1) load_tile<3>(left_ + apart_);
      if (c == 2) zero_tile<0>();
      if (c == 3) multiply_tiles<0, 2, 4>();
      if (c == 4 && kIsTwo) zero_tile<1>();
      if (c == 5 && kIsTwo) multiply_tiles<1, 2, 6>();
      if (c == 7) multiply_tiles<0, 3, 5>();
      if (c == 9 && kIsTwo) multiply_tiles<1, 3, 7>();
      if (c == 13) store_tile<0>(to_.planes[0]);
      if (c == 15 && kIsTwo) store_tile<1>(to_.planes[kPlanes - 1]);
    }

   private:
    const std::int8_t* left_;
    std::size_t apart_;
    Sums& to_;
  };

  template <int kHalf, class Block>
  static inline __attribute__((always_inline)) void add_column(const Block& w, const Minima& minima,
                                                               const Strip& x, int column,
                                                               const Sums& products, int c,
                                                               Float& total, Float& sum) {
    Int t = _mm512_load_si512(products.planes[0][c]);
    if constexpr (kPlanes == 2) {
      const Int high = _mm512_load_si512(products.planes[1][c]);
      t = TileSimd::add(t, TileSimd::shift_left<kLogPlane>(high));
    }
    const Float s = scale_of(x, kHalf, column);
    if constexpr (kHalf == 0) {
      total = TileSimd::mul(s, TileSimd::to_float(t));
    } else {
      Float so_far = sum;
      if constexpr (Codec::kHasMin) {
        so_far = TileSimd::fma(w.m, scaled_min_sum(w, minima, x, column), so_far);
      }
      sum = TileSimd::fma(w.d, TileSimd::fma(s, TileSimd::to_float(t), total), so_far);
    }
  }

  static Float scale_of(const Strip& x, int half, int column) {
    return TileSimd::broadcast(strip_at(x.scales, x, static_cast<std::size_t>(half), column));
  }

  /// U of the statement.
  template <class Block>
  static inline __attribute__((always_inline)) Float scaled_min_sum(const Block& w,
                                                                    const Minima& minima,
                                                                    const Strip& x, int column) {
    const Float first =
        TileSimd::mul(scale_of(x, 0, column), TileSimd::to_float(min_sum(w, minima, x, 0, column)));
    return TileSimd::fma(scale_of(x, 1, column),
                         TileSimd::to_float(min_sum(w, minima, x, 1, column)), first);
  }

  template <class Block>
  static inline __attribute__((always_inline)) Int min_sum(const Block& w, const Minima& minima,
                                                           const Strip& x, int half, int column) {
    if constexpr (kHasMinPairs) {
      const auto row = static_cast<std::size_t>(2 * half);
      const Int sum = TileSimd::dot_pairs(TileSimd::zero(), minima.pairs[2 * half],
                                          strip_at(x.sum_pairs, x, row, column));
      return TileSimd::dot_pairs(sum, minima.pairs[2 * half + 1],
                                 strip_at(x.sum_pairs, x, row + 1, column));
    } else {
      return w.min_sum(x, half, column);
    }
  }

  Codec codec_;
};

/// MultiplyPanels (kernel_table.h) on wide strips.
template <class Tile>
void multiply_wide(const void* panels, std::size_t n_rows, const Strip& x, const MatmulOut& out) {
  const auto* bytes = static_cast<const std::byte*>(panels);
  const std::size_t panel = panel_bytes(Tile::kType, x.length, Simd::kLanes);
  static constexpr TileShapes kShapes = Tile::shapes();
  begin_tiles(kShapes);
  constexpr std::size_t kRows = kPanelsTogether * Simd::kLanes;
  for (std::size_t row = 0; row < n_rows; row += kRows) {
    const std::size_t left = n_rows - row;
    const auto n_panels = static_cast<int>(
        left >= kRows ? kPanelsTogether : (left + Simd::kLanes - 1) / Simd::kLanes);
    alignas(64) Float sums[kPanelsTogether][kWideStripColumns];
    Tile tiles[kPanelsTogether];
    typename Tile::Unpacked unpacked[kPanelsTogether];
    for (int p = 0; p < n_panels; ++p, bytes += panel) {
      tiles[p] = Tile(bytes, x.length);
      for (int c = 0; c < x.width; ++c) sums[p][c] = Simd::zero_float();
    }
    for (std::size_t k = 0; k < x.length; k += Tile::kElements) {
      const Strip at = wide_strip_from(x, k);
      for (int p = 0; p < n_panels; ++p) tiles[p].unpack(k, unpacked[p]);
      for (int c = 0; c < x.width; c += kColumnsTogether) {
        const int last = c + kColumnsTogether < x.width ? c + kColumnsTogether : x.width;
        for (int p = 0; p < n_panels; ++p) {
          tiles[p].add(k, unpacked[p], at, c, last, sums[p]);
        }
      }
    }
    for (int p = 0; p < n_panels; ++p) {
      const std::size_t first = row + static_cast<std::size_t>(p) * Simd::kLanes;
      store_sums(sums[p], n_rows - first, x.n_columns, out_from(out, first, 0));
    }
  }
  end_tiles();
}

template <template <class> class Codec>
constexpr MatmulKernel kernel() {
  return {Simd::kLanes, StripKind::q8_128_wide, multiply_wide<KTile<Codec<TileSimd>>>};
}

}  // namespace

void install_matmul_k(KernelTable& table) {
  table.wide_matmul[QuantType::Q2_K] = kernel<CodecQ2_K>();
  table.wide_matmul[QuantType::Q3_K] = kernel<CodecQ3_K>();
  table.wide_matmul[QuantType::Q4_K] = kernel<CodecQ4_K>();
  table.wide_matmul[QuantType::Q5_K] = kernel<CodecQ5_K>();
  table.wide_matmul[QuantType::Q6_K] = kernel<CodecQ6_K>();
  table.wide_matmul[QuantType::IQ4_XS] = kernel<CodecIQ4_XS>();
}

}  // namespace hearth::kernels::amx
