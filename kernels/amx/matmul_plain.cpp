// The types with 32 elements per block: a product of tiles of half a run for every block, because
// every block has scales of its own on both sides.
#include "kernels/amx/parts.h"
#include "kernels/amx/wide_walk.h"
#include "kernels/generic/codecs_plain.h"

namespace hearth::kernels::amx {
namespace {

template <class Codec>
class PlainTile {
  static constexpr int kBlocks = 4;  // at once: as many as there are tiles for sums
  static constexpr std::size_t kBlock = 32;
  static constexpr int kQuads = kBlock / 4;

  /// Blocks in one piece with their scales.
  struct Unpacked {
    alignas(64) std::int8_t quads[kBlocks][kQuads * sizeof(Int)];
    Float d[kBlocks];
    Float m[kBlocks];
  };
  /// Of a group of columns: [column][row].
  struct Sums {
    alignas(64) std::int32_t blocks[kBlocks][kGroup][Simd::kLanes];
  };

 public:
  static constexpr QuantType kType = Codec::kType;
  static constexpr std::size_t kElements = kBlocks * kBlock;

  PlainTile() = default;
  PlainTile(const std::byte* panel, std::size_t length) : codec_(panel, length) {}

  static constexpr TileShapes shapes() {
    TileShapes shapes;
    for (int sums = 0; sums < 4; ++sums) shapes.set(sums, kTileRows, kTileRowBytes);
    for (int left = 4; left < 6; ++left) shapes.set(left, kTileRows, kBlock);
    for (int right = 6; right < 8; ++right) shapes.set(right, kQuads, kTileRowBytes);
    return shapes;
  }

  void add(std::size_t first, std::size_t left, const Strip& x, Float* sums) const {
    if (left >= kElements) {
      add_blocks<kBlocks>(first / kBlock, x, sums);
      return;
    }
    for (std::size_t k = 0; k < left; k += kBlock) {
      const Strip at = wide_strip_from(x, k);
      if (k % kWideRun == 0) {
        add_blocks<1>((first + k) / kBlock, at, sums);
      } else {
        Strip second = at;
        second.quants += kBlock;
        add_blocks<1>((first + k) / kBlock, second, sums);
      }
    }
  }

 private:
  /// x: the strip from block b on.
  template <int kCount>
  void add_blocks(std::size_t b, const Strip& x, Float* sums) const {
    Unpacked w;
    for (int j = 0; j < kCount; ++j) {
      const auto block = codec_.block(b + static_cast<std::size_t>(j));
#pragma GCC unroll 8
      for (int i = 0; i < kQuads; ++i) {
        _mm512_store_si512(w.quads[j] + static_cast<std::size_t>(i) * sizeof(Int),
                           signed_quad<Codec>(block, 0, i));
      }
      w.d[j] = block.d;
      if constexpr (Codec::kHasMin) w.m[j] = block.m;
    }
    Sums products[2];
    multiply<kCount>(w, x, 0, products[0]);
    for (int column = 0; column < x.width; column += kGroup) {
      const int now = column / kGroup % 2;
      if (column + kGroup < x.width) {
        multiply<kCount>(w, x, column + kGroup, products[1 - now]);
      }
#pragma GCC unroll 2
      for (int c = 0; c < kGroup; ++c) {
        add_column<kCount>(w, x, column + c, products[now], c, sums[column + c]);
      }
    }
  }

  template <int kCount>
  static void multiply(const Unpacked& w, const Strip& x, int column, Sums& to) {
    const std::int8_t* left = x.quants + static_cast<std::size_t>(column) * kWideRun;
    const std::size_t apart = static_cast<std::size_t>(x.width) * kWideRun;
    multiply_block<0>(w, left, to);
    if constexpr (kCount == kBlocks) {
      multiply_block<1>(w, left + kBlock, to);
      multiply_block<2>(w, left + apart, to);
      multiply_block<3>(w, left + apart + kBlock, to);
    }
  }

  template <int j>
  static void multiply_block(const Unpacked& w, const std::int8_t* left, Sums& to) {
    zero_tile<j>();
    load_tile<4 + j % 2>(left, kWideRun);
    load_tile<6 + j % 2>(w.quads[j], kTileRowBytes);
    multiply_tiles<j, 4 + j % 2, 6 + j % 2>();
    store_tile<j>(to.blocks[j]);
  }

  template <int kCount>
  static inline __attribute__((always_inline)) void add_column(const Unpacked& w, const Strip& x,
                                                               int column, const Sums& products,
                                                               int c, Float& to) {
    Float sum = to;
#pragma GCC unroll 4
    for (int j = 0; j < kCount; ++j) {
      const auto row = static_cast<std::size_t>(j);
      const Float s = TileSimd::broadcast(strip_at(x.scales, x, row, column));
      const Int t = _mm512_load_si512(products.blocks[j][c]);
      if constexpr (Codec::kHasMin) {
        const Int u = TileSimd::broadcast(strip_at(x.bias, x, row, column));
        sum = TileSimd::fma(w.m[j], TileSimd::mul(s, TileSimd::to_float(u)), sum);
      }
      sum = TileSimd::fma(w.d[j], TileSimd::mul(s, TileSimd::to_float(t)), sum);
    }
    to = sum;
  }

  Codec codec_;
};

template <template <class> class Codec>
constexpr MatmulKernel kernel() {
  return {Simd::kLanes, StripKind::q8_32_wide, multiply_wide<PlainTile<Codec<TileSimd>>>};
}

}  // namespace

void install_matmul_plain(KernelTable& table) {
  table.wide_matmul[QuantType::Q4_0] = kernel<CodecQ4_0>();
  table.wide_matmul[QuantType::Q4_1] = kernel<CodecQ4_1>();
  table.wide_matmul[QuantType::Q5_0] = kernel<CodecQ5_0>();
  table.wide_matmul[QuantType::Q5_1] = kernel<CodecQ5_1>();
  table.wide_matmul[QuantType::Q8_0] = kernel<CodecQ8_0>();
  table.wide_matmul[QuantType::IQ4_NL] = kernel<CodecIQ4_NL>();
  table.wide_matmul[QuantType::MXFP4] = kernel<CodecMXFP4>();
}

}  // namespace hearth::kernels::amx
