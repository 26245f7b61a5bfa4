// The types with super-blocks. A tile adds up 32-bit sums of products of bytes, and reading them
// out costs more than the products of a sub-block do. So a sub-block's scale is multiplied into its
// quants beforehand: scale * q has up to 14 bits, which two planes of bytes hold, and
//
//   sum of (scale q) x = sum of low x + 128 * sum of high x
//
// exactly, over all 128 elements that share a scale of x.
#include "kernels/amx/parts.h"
#include "kernels/amx/wide_walk.h"
#include "kernels/generic/codecs_k.h"

namespace hearth::kernels::amx {
namespace {

template <class Codec>
class KTile {
  static constexpr int kLogPlane = 7;
  static constexpr int kPlanes = Codec::kLargest < 1 << kLogPlane ? 1 : 2;
  static constexpr std::size_t kTileBytes = kTileRows * kTileRowBytes;
  static constexpr int kTilesPerHalf = 2;  // of 64 elements

  struct Planes {
    alignas(64) std::int8_t bytes[kPlanes][2 * kTilesPerHalf][kTileBytes];
  };
  /// Of a group of columns: [column][row].
  struct Sums {
    alignas(64) std::int32_t planes[kPlanes][kGroup][Simd::kLanes];
  };

 public:
  static constexpr QuantType kType = Codec::kType;
  static constexpr std::size_t kElements = 256;

  KTile() = default;
  KTile(const std::byte* panel, std::size_t length) : codec_(panel, length) {}

  static constexpr TileShapes shapes() {
    TileShapes shapes;
    for (int tile = 0; tile < 8; ++tile) shapes.set(tile, kTileRows, kTileRowBytes);
    return shapes;
  }

  void add(std::size_t first, std::size_t, const Strip& x, Float* sums) const {
    const auto w = codec_.block(first / kElements);
    Planes planes;
    unpack(w, planes);
    alignas(64) Float totals[kWideStripColumns];  // T of the statement after the first half
    add_half<0>(w, planes, x, totals, sums);
    add_half<1>(w, planes, x, totals, sums);
  }

 private:
  template <class Block>
  static void unpack(const Block& w, Planes& planes) {
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
        put_scaled(signed_quad<Codec>(w, s, i), scale, planes, quad / kQuadsPerTile, at);
      }
    }
  }

  /// Bytes times 16-bit scales, cut into planes.
  static void put_scaled(Int quad, Int scale, Planes& planes, int tile, std::size_t at) {
    const Int even_bytes = TileSimd::set(0x00ff00ff);
    constexpr bool kIsSigned = Codec::kOperand != Operand::plain;
    const Int even = kIsSigned ? _mm512_srai_epi16(_mm512_slli_epi16(quad, 8), 8)
                               : TileSimd::bit_and(quad, even_bytes);
    const Int odd = kIsSigned ? _mm512_srai_epi16(quad, 8) : _mm512_srli_epi16(quad, 8);
    const Int p = _mm512_mullo_epi16(even, scale);
    const Int q = _mm512_mullo_epi16(odd, scale);
    const Int low = select(even_bytes, p, _mm512_slli_epi16(q, 8));
    if constexpr (kPlanes == 1) {
      _mm512_store_si512(planes.bytes[0][tile] + at, low);
    } else {
      const Int high = select(even_bytes, _mm512_srai_epi16(p, kLogPlane),
                              _mm512_slli_epi16(q, 8 - kLogPlane));
      _mm512_store_si512(planes.bytes[0][tile] + at,
                         TileSimd::bit_and(low, TileSimd::set(four((1 << kLogPlane) - 1))));
      _mm512_store_si512(planes.bytes[1][tile] + at, high);
    }
  }

  /// Bits of a where mask is 1, else of b.
  static Int select(Int mask, Int a, Int b) {
    return _mm512_ternarylogic_epi32(mask, a, b, 0xca);
  }

  /// Half of the block: the 128 elements that share a scale of x. While one group's sums are worked
  /// on, the next one's are made.
  template <int kHalf, class Block>
  static void add_half(const Block& w, const Planes& planes, const Strip& x, Float* totals,
                       Float* sums) {
    load_tile<4>(planes.bytes[0][2 * kHalf], kTileRowBytes);
    load_tile<5>(planes.bytes[0][2 * kHalf + 1], kTileRowBytes);
    if constexpr (kPlanes == 2) {
      load_tile<6>(planes.bytes[1][2 * kHalf], kTileRowBytes);
      load_tile<7>(planes.bytes[1][2 * kHalf + 1], kTileRowBytes);
    }
    Sums products[2];
    multiply<kHalf>(x, 0, products[0]);
    for (int column = 0; column < x.width; column += kGroup) {
      const int now = column / kGroup % 2;
      if (column + kGroup < x.width) multiply<kHalf>(x, column + kGroup, products[1 - now]);
#pragma GCC unroll 2
      for (int c = 0; c < kGroup; ++c) {
        add_column<kHalf>(w, x, column + c, products[now], c, totals[column + c], sums[column + c]);
      }
    }
  }

  template <int kHalf>
  static void multiply(const Strip& x, int column, Sums& to) {
    const std::size_t apart = static_cast<std::size_t>(x.width) * kWideRun;
    const std::int8_t* left =
        x.quants + 2 * kHalf * apart + static_cast<std::size_t>(column) * kWideRun;
    zero_tile<0>();
    load_tile<2>(left, kWideRun);
    multiply_tiles<0, 2, 4>();
    load_tile<3>(left + apart, kWideRun);
    multiply_tiles<0, 3, 5>();
    store_tile<0>(to.planes[0]);
    if constexpr (kPlanes == 2) {
      zero_tile<1>();
      multiply_tiles<1, 2, 6>();
      multiply_tiles<1, 3, 7>();
      store_tile<1>(to.planes[1]);
    }
  }

  template <int kHalf, class Block>
  static inline __attribute__((always_inline)) void add_column(const Block& w, const Strip& x,
                                                               int column, const Sums& products,
                                                               int c, Float& total, Float& sum) {
    Int t = _mm512_load_si512(products.planes[0][c]);
    if constexpr (kPlanes == 2) {
      const Int high = _mm512_load_si512(products.planes[1][c]);
      t = TileSimd::add(t, TileSimd::shift_left<kLogPlane>(high));
    }
    const Float s = scale_of(x, kHalf, column);
    if constexpr (kHalf == 0) {
      total = TileSimd::mul(s, TileSimd::to_float(t));
    } else {
      if constexpr (Codec::kHasMin) sum = TileSimd::fma(w.m, scaled_min_sum(w, x, column), sum);
      sum = TileSimd::fma(w.d, TileSimd::fma(s, TileSimd::to_float(t), total), sum);
    }
  }

  static Float scale_of(const Strip& x, int half, int column) {
    return TileSimd::broadcast(strip_at(x.scales, x, static_cast<std::size_t>(half), column));
  }

  /// U of the statement.
  template <class Block>
  static Float scaled_min_sum(const Block& w, const Strip& x, int column) {
    const Float first = TileSimd::mul(scale_of(x, 0, column),
                                      TileSimd::to_float(w.min_sum(x, 0, column)));
    return TileSimd::fma(scale_of(x, 1, column), TileSimd::to_float(w.min_sum(x, 1, column)),
                         first);
  }

  Codec codec_;
};

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
