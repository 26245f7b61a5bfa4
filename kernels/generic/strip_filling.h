// Filling strips, in the operations of a level's Floats. The statement:
// scalar/quantize_strip.cpp.
//
// Every kind of strip interleaves units of four bytes, one per column: a float, a pair of
// bfloat16, or four quants. So each column is turned into units, a stretch of it at a time, and
// then the stretches of all columns are interleaved.
#pragma once

#include <cstring>

#include "kernels/generic/functions.h"
#include "kernels/generic/panel_prefetch.h"
#include "kernels/kernel_table.h"

namespace hearth::kernels {
namespace {

inline constexpr std::size_t kStretch = 512;  // elements

/// out[i * width + c] = columns[c][i]. What the units are does not matter: they are copied as
/// bytes.
template <class S>
void interleave(const std::uint32_t* const* columns, std::size_t n, int width, std::uint32_t* out) {
  constexpr std::size_t kUnitBytes = sizeof(std::uint32_t);
  if (width == 1) {
    std::memcpy(out, columns[0], n * kUnitBytes);
    return;
  }
  const auto stride = static_cast<std::size_t>(width);
  for (std::size_t c = 0; c < stride;) {
    const std::size_t n_columns = c + 4 <= stride ? 4 : stride - c;
    std::size_t i = 0;
    if (n_columns == 4) {
      for (; i + 4 <= n; i += 4) S::transpose_4(columns + c, i, out + i * stride + c, stride);
    }
    for (; i < n; ++i) {
      for (std::size_t j = c; j < c + n_columns; ++j) {
        std::memcpy(out + i * stride + j, columns[j] + i, kUnitBytes);
      }
    }
    c += n_columns;
  }
}

inline std::uint32_t* unit(const void* part, std::size_t i, const Strip& strip) {
  auto* units = static_cast<std::uint32_t*>(const_cast<void*>(part));
  return units + i * static_cast<std::size_t>(strip.width);
}

template <class S>
void fill_strip_f32(const Strip& strip, const float* const* columns) {
  alignas(64) static constexpr std::uint32_t kZeros[kStretch] = {};
  for (std::size_t first = 0; first < strip.length; first += kStretch) {
    const std::size_t n = strip.length - first < kStretch ? strip.length - first : kStretch;
    const std::uint32_t* units[kStripColumns];
    for (int c = 0; c < strip.width; ++c) {
      const bool is_used = c < strip.n_columns;
      units[c] = is_used ? reinterpret_cast<const std::uint32_t*>(columns[c] + first) : kZeros;
    }
    interleave<S>(units, n, strip.width, unit(strip.floats, first, strip));
  }
}

/// 16 floats rounded as f32_to_bf16 does, in the low halves of the lanes.
template <class S>
typename S::I round_to_bf16(typename S::V x) {
  const auto bits = S::bits(x);
  const auto high = S::template shift_right<16>(bits);
  const auto odd = S::bit_and(high, S::set(1));
  const auto rounded = S::template shift_right<16>(S::add(S::add(bits, S::set(0x7fff)), odd));
  const auto magnitude = S::bit_and(bits, S::set(0x7fffffff));
  return S::where_greater(magnitude, S::set(0x7f800000), S::bit_or(high, S::set(0x40)), rounded);
}

/// n floats, at most kStretch, as bfloat16; room for n rounded up to 16 is written.
template <class S>
void round_stretch(const float* x, std::size_t n, std::uint16_t* out) {
  std::size_t k = 0;
  for (; k + 16 <= n; k += 16) S::store_low_16(out + k, round_to_bf16<S>(S::load(x + k)));
  if (k == n) return;
  float rest[16] = {};
  std::memcpy(rest, x + k, (n - k) * sizeof *x);
  S::store_low_16(out + k, round_to_bf16<S>(S::load(rest)));
}

template <class S>
void fill_strip_bf16(const Strip& strip, const float* const* columns) {
  alignas(64) std::uint16_t halves[kStripColumns][kStretch] = {};
  for (std::size_t first = 0; first < strip.length; first += kStretch) {
    const std::size_t n = strip.length - first < kStretch ? strip.length - first : kStretch;
    const std::uint32_t* units[kStripColumns];
    for (int c = 0; c < strip.width; ++c) {
      units[c] = reinterpret_cast<const std::uint32_t*>(halves[c]);
      if (c < strip.n_columns) round_stretch<S>(columns[c] + first, n, halves[c]);
    }
    interleave<S>(units, (n + 1) / 2, strip.width, unit(strip.pairs, first / 2, strip));
  }
}

inline constexpr std::size_t kEnds = kLargestEnd - kSmallestEnd + 1;
/// Blocks that are quantised together: where a block has one number, a vector's lanes are blocks.
inline constexpr std::size_t kBlocksAtOnce = 16;

/// What is known of each of kBlocksAtOnce blocks.
struct BlockScales {
  alignas(64) float largest[kBlocksAtOnce] = {};
  alignas(64) float reciprocal[kBlocksAtOnce];    // of largest
  alignas(64) float error[kEnds][kBlocksAtOnce];  // the squares that rounding leaves
  // Of the end with the least error; 0 where there is none, because the block is as good as zero
  // or an element is infinite or no number.
  alignas(64) float end[kBlocksAtOnce];
  alignas(64) float inverse[kBlocksAtOnce];  // end / largest
  alignas(64) float scale[kBlocksAtOnce];    // largest / end
};

template <class S, std::size_t kBlock>
inline typename S::V magnitudes(const float* x) {
  auto even = S::zero();
  auto odd = S::zero();
#pragma GCC unroll 4
  for (std::size_t k = 0; k < kBlock; k += 32) {
    even = S::max(S::absolute(S::load(x + k)), even);
    odd = S::max(S::absolute(S::load(x + k + 16)), odd);
  }
  return S::max(even, odd);
}

template <class S, std::size_t kBlock>
void find_largest(const float* x, std::size_t n_blocks, float* largest) {
  std::size_t b = 0;
  if constexpr (requires(const typename S::V* a) { S::largest_of_8(a, largest); }) {
    for (; b + 8 <= n_blocks; b += 8) {
      typename S::V of_block[8];
#pragma GCC unroll 8
      for (std::size_t i = 0; i < 8; ++i) of_block[i] = magnitudes<S, kBlock>(x + (b + i) * kBlock);
      S::largest_of_8(of_block, largest + b);
    }
  }
  for (; b < n_blocks; ++b) largest[b] = S::largest(magnitudes<S, kBlock>(x + b * kBlock));
}

/// The four ends, each in a quarter of a vector.
template <class S>
inline typename S::V quarters_of_ends() {
  static_assert(kEnds == 4);
  alignas(64) static constexpr float kQuarters[16] = {127, 127, 127, 127, 126, 126, 126, 126,
                                                      125, 125, 125, 125, 124, 124, 124, 124};
  static_assert(kQuarters[0] == kLargestEnd && kQuarters[15] == kSmallestEnd);
  return S::load(kQuarters);
}

/// The squares that rounding leaves of each block with each end, added up. A quarter of a vector is
/// an end, its lanes are four elements side by side.
template <class S, std::size_t kBlock>
void find_errors(const float* x, std::size_t n_blocks, BlockScales& of) {
  const auto ends = quarters_of_ends<S>();
  S::store(of.reciprocal, S::div(S::set(1.0F), S::load(of.largest)));
  for (std::size_t b = 0; b < n_blocks; b += 4) {
    const float* block[4];
    typename S::V inverse[4], sums[4];
#pragma GCC unroll 4
    for (std::size_t i = 0; i < 4; ++i) {
      // Where fewer than four are left, the last of them is there again.
      block[i] = x + (b + i < n_blocks ? b + i : n_blocks - 1) * kBlock;
      inverse[i] = S::mul(ends, S::set(of.reciprocal[b + i]));
      sums[i] = S::zero();
    }
#pragma GCC unroll 8
    for (std::size_t k = 0; k < kBlock; k += 4) {
#pragma GCC unroll 4
      for (std::size_t i = 0; i < 4; ++i) {
        const auto v = S::mul(S::set_quarters(block[i] + k), inverse[i]);
        const auto off = S::sub(v, S::rounded(v));
        sums[i] = S::fma(off, off, sums[i]);
      }
    }
    S::store_quarters(of.error[0] + b, kBlocksAtOnce,
                      S::sums_of_quarters(sums[0], sums[1], sums[2], sums[3]));
  }
}

/// Of the ends, the one with the least squared error, the first of equals.
template <class S>
void choose_ends(BlockScales& of) {
  auto best = S::set(static_cast<float>(kLargestEnd));
  auto least = S::div(S::load(of.error[0]), S::mul(best, best));
#pragma GCC unroll 4
  for (std::size_t e = 1; e < kEnds; ++e) {
    const auto end = S::set(kLargestEnd - static_cast<float>(e));
    const auto error = S::div(S::load(of.error[e]), S::mul(end, end));
    best = S::where_less(error, least, end, best);
    least = S::where_less(error, least, error, least);
  }
  const auto largest = S::load(of.largest);
  const auto end = S::where_less(least, S::set(__builtin_inff()), best, S::zero());
  S::store(of.end, S::where_less(largest, S::set(kSmallestBlock), S::zero(), end));
  S::store(of.inverse, S::mul(best, S::load(of.reciprocal)));
  S::store(of.scale, S::div(largest, best));
}

/// Whether one of n elements, which no maximum need show, is no number.
inline bool has_no_number(const float* x, std::size_t n) {
  bool found = false;
  for (std::size_t k = 0; k < n; ++k) found |= x[k] != x[k];
  return found;
}

/// Quants and scales of n_blocks blocks whose ends are known; room for an even number of blocks is
/// written.
template <class S, std::size_t kBlock>
void put_blocks(const float* x, std::size_t n_blocks, const BlockScales& of, std::int8_t* quants,
                float* scales) {
  const std::size_t n = n_blocks * kBlock;
  for (std::size_t k = 0; k < n; k += 64) {
    const std::size_t next = k + 32 < n ? k + 32 : k;
    const auto early = S::set(of.inverse[k / kBlock]);
    const auto late = S::set(of.inverse[next / kBlock]);
    S::store_low_8(quants + k, S::nearest(S::mul(S::load(x + k), early)),
                   S::nearest(S::mul(S::load(x + k + 16), early)),
                   S::nearest(S::mul(S::load(x + next), late)),
                   S::nearest(S::mul(S::load(x + next + 16), late)));
  }
  for (std::size_t b = 0; b < n_blocks; ++b) {
    scales[b] = of.scale[b];
    if (of.end[b] != 0.0F) continue;
    std::memset(quants + b * kBlock, 0, kBlock);
    const bool is_zero = of.largest[b] < kSmallestBlock && !has_no_number(x + b * kBlock, kBlock);
    scales[b] = is_zero ? 0.0F : kNoNumber;
  }
}

/// Asks for n floats that are about to be read.
inline void prefetch_floats(const float* x, std::size_t n) {
  for (std::size_t k = 0; k < n; k += kCacheLine / sizeof *x) __builtin_prefetch(x + k);
}

/// Elements [first, first + n) of each column, n at most kStretch: calls put(c, its scales). A
/// column's stages wait for each other and those of different columns do not, so that three columns
/// are on their way at once.
template <class S, std::size_t kBlock, class Put>
void quantize_columns(const float* const* columns, std::size_t n_columns, std::size_t first,
                      std::size_t n, Put put) {
  const std::size_t n_blocks = n / kBlock;
  BlockScales scales[3];
  for (std::size_t c = 0; c < n_columns + 2; ++c) {
    if (c < n_columns) {
      find_largest<S, kBlock>(columns[c] + first, n_blocks, scales[c % 3].largest);
      if (c + 1 < n_columns) prefetch_floats(columns[c + 1] + first, n);
    }
    if (c >= 1 && c <= n_columns) {
      find_errors<S, kBlock>(columns[c - 1] + first, n_blocks, scales[(c - 1) % 3]);
      choose_ends<S>(scales[(c - 1) % 3]);
    }
    if (c >= 2) put(c - 2, scales[(c - 2) % 3]);
  }
}

/// Puts the sums of a stretch's quants into a column of the strip. sums: of 16 quants each.
inline void put_sums(const Strip& strip, std::size_t first, std::size_t n, std::size_t c,
                     const std::int32_t* sums) {
  const auto width = static_cast<std::size_t>(strip.width);
  if (scale_block(strip.kind) == 32) {
    auto* bias = const_cast<std::int32_t*>(strip.bias) + first / 32 * width + c;
    for (std::size_t b = 0; b < n / 32; ++b) {
      bias[b * width] = -128 * (sums[2 * b] + sums[2 * b + 1]);
    }
    return;
  }
  auto* bias = const_cast<std::int32_t*>(strip.bias) + first / 16 * width + c;
  for (std::size_t s = 0; s < n / 16; ++s) bias[s * width] = -128 * sums[s];
  std::uint32_t* pairs = unit(strip.sum_pairs, first / 64, strip) + c;
  for (std::size_t p = 0; p < n / 64; ++p) {
    const auto early = static_cast<std::uint32_t>(sums[4 * p] + sums[4 * p + 1]);
    const auto late = static_cast<std::uint32_t>(sums[4 * p + 2] + sums[4 * p + 3]);
    pairs[p * width] = (early & 0xffffu) | late << 16;
  }
}

/// Puts what stands beside a stretch's quants into a column of the strip.
template <class S, std::size_t kBlock>
void put_beside(const Strip& strip, std::size_t first, std::size_t n, std::size_t c,
                const std::int8_t* quants, const float* scales) {
  const auto width = static_cast<std::size_t>(strip.width);
  float* to = const_cast<float*>(strip.scales) + first / kBlock * width + c;
  for (std::size_t b = 0; b < n / kBlock; ++b) to[b * width] = scales[b];
  std::int32_t sums[kStretch / 16];
  for (std::size_t k = 0; k < n; k += 256) S::sums_of_16(quants + k, sums + k / 16);
  put_sums(strip, first, n, c, sums);
}

template <class S, std::size_t kBlock>
void fill_strip_q8(const Strip& strip, const float* const* columns) {
  alignas(64) std::int8_t quants[kStripColumns][kStretch] = {};
  const auto width = static_cast<std::size_t>(strip.width);
  const auto n_columns = static_cast<std::size_t>(strip.n_columns);
  const std::uint32_t* units[kStripColumns];
  for (std::size_t c = 0; c < width; ++c) {
    units[c] = reinterpret_cast<const std::uint32_t*>(quants[c]);
  }
  for (std::size_t first = 0; first < strip.length; first += kStretch) {
    const std::size_t n = strip.length - first < kStretch ? strip.length - first : kStretch;
    float scales[kStretch / kBlock] = {};
    for (std::size_t c = n_columns; c < width; ++c) {
      put_beside<S, kBlock>(strip, first, n, c, quants[c], scales);
    }
    quantize_columns<S, kBlock>(
        columns, n_columns, first, n, [&](std::size_t c, const BlockScales& of) {
          put_blocks<S, kBlock>(columns[c] + first, n / kBlock, of, quants[c], scales);
          put_beside<S, kBlock>(strip, first, n, c, quants[c], scales);
        });
    interleave<S>(units, n / 4, strip.width, unit(strip.quants, first / 4, strip));
  }
}

/// Columns whose elements stand in runs, not in turn.
template <class S>
void fill_wide_strip_q8(const Strip& strip, const float* const* columns) {
  constexpr std::size_t kRun = kWideRun;
  constexpr std::size_t kBlock = 128;
  alignas(64) std::int8_t quants[kStretch] = {};
  const auto width = static_cast<std::size_t>(strip.width);
  const auto n_columns = static_cast<std::size_t>(strip.n_columns);
  const auto n_filled = static_cast<std::size_t>(filled_columns(strip));
  for (std::size_t first = 0; first < strip.length; first += kStretch) {
    const std::size_t n = strip.length - first < kStretch ? strip.length - first : kStretch;
    float scales[kStretch / kBlock] = {};
    const auto put_column = [&](std::size_t c) {
      put_beside<S, kBlock>(strip, first, n, c, quants, scales);
      auto* run = const_cast<std::int8_t*>(strip.quants) + (first / kRun * width + c) * kRun;
      for (std::size_t k = 0; k < n; k += kRun, run += width * kRun) {
        std::memcpy(run, quants + k, kRun);
      }
    };
    quantize_columns<S, kBlock>(
        columns, n_columns, first, n, [&](std::size_t c, const BlockScales& of) {
          put_blocks<S, kBlock>(columns[c] + first, n / kBlock, of, quants, scales);
          put_column(c);
        });
    std::memset(quants, 0, sizeof quants);
    std::memset(scales, 0, sizeof scales);
    for (std::size_t c = n_columns; c < n_filled; ++c) put_column(c);
  }
}

template <class S>
void install_fill_strip(PerStripKind& table) {
  table[StripKind::f32] = fill_strip_f32<S>;
  table[StripKind::bf16] = fill_strip_bf16<S>;
  table[StripKind::q8_32] = fill_strip_q8<S, 32>;
  table[StripKind::q8_128] = fill_strip_q8<S, 128>;
  table[StripKind::q8_128_wide] = fill_wide_strip_q8<S>;
}

}  // namespace
}  // namespace hearth::kernels
