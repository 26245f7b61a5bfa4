// Filling strips, in the operations of a level's Floats. The statement:
// scalar/quantize_strip.cpp.
//
// Every kind of strip interleaves units of four bytes, one per column: a float, a pair of
// bfloat16, or four quants. So each column is turned into units, a stretch of it at a time, and
// then the stretches of all columns are interleaved.
#pragma once

#include <cstring>

#include "kernels/generic/functions.h"
#include "kernels/kernel_table.h"

namespace hearth::kernels {
namespace {

inline constexpr std::size_t kStretch = 256;  // elements

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

/// A few blocks that are quantised together: what they need of each other's time is the sums of
/// their lanes and the divisions, which vectors do for all of them at once.
template <std::size_t kBlocks>
struct BlockScales {
  float largest[kBlocks];
  float end[kBlocks];      // that the largest element is quantised to; 0 where it is best unknown:
                           // an element is infinite or no number
  float inverse[kBlocks];  // end / largest
};

/// The squares that rounding leaves of a pair of blocks (or one) for each end, added up: of block 0
/// with every end, then of block 1.
template <class S, std::size_t kBlock, std::size_t kBlocks>
inline void squared_errors(const float* x, const float (&inverse)[kBlocks][kEnds], float* out) {
  typename S::V sums[kBlocks * kEnds];
#pragma GCC unroll 2
  for (std::size_t b = 0; b < kBlocks; ++b) {
    typename S::V* of_block = sums + b * kEnds;
#pragma GCC unroll 4
    for (std::size_t e = 0; e < kEnds; ++e) of_block[e] = S::zero();
#pragma GCC unroll 8
    for (std::size_t k = 0; k < kBlock; k += 16) {
      const auto elements = S::load(x + b * kBlock + k);
#pragma GCC unroll 4
      for (std::size_t e = 0; e < kEnds; ++e) {
        const auto v = S::mul(elements, S::set(inverse[b][e]));
        const auto off = S::sub(v, S::rounded(v));
        of_block[e] = S::fma(off, off, of_block[e]);
      }
    }
  }
  add_lanes<S, kBlocks * kEnds>(sums, out);
}

/// Of the ends, the one with the least squared error, for kBlocks blocks, the first of equals.
template <class S, std::size_t kBlock, std::size_t kBlocks>
void find_ends(const float* x, BlockScales<kBlocks>& of) {
  constexpr std::size_t kPair = kBlocks < 2 ? kBlocks : 2;
  float inverse[kBlocks / kPair][kPair][kEnds];
  float error[kBlocks][kEnds];
  for (std::size_t b = 0; b < kBlocks; ++b) {
    for (std::size_t e = 0; e < kEnds; ++e) {
      inverse[b / kPair][b % kPair][e] = (kLargestEnd - static_cast<float>(e)) / of.largest[b];
    }
  }
  for (std::size_t b = 0; b < kBlocks; b += kPair) {
    squared_errors<S, kBlock, kPair>(x + b * kBlock, inverse[b / kPair], error[b]);
  }
  for (auto& of_block : error) {
    for (std::size_t e = 0; e < kEnds; ++e) {
      const float end = kLargestEnd - static_cast<float>(e);
      of_block[e] /= end * end;
    }
  }
  for (std::size_t b = 0; b < kBlocks; ++b) {
    float least = error[b][0];
    std::size_t best = 0;
    for (std::size_t e = 1; e < kEnds; ++e) {
      best = error[b][e] < least ? e : best;
      least = error[b][e] < least ? error[b][e] : least;
    }
    of.inverse[b] = inverse[b / kPair][b % kPair][best];
    of.end[b] = least == least ? kLargestEnd - static_cast<float>(best) : 0.0F;
  }
}

/// Whether one of n elements, which no maximum need show, is no number.
inline bool has_no_number(const float* x, std::size_t n) {
  bool found = false;
  for (std::size_t k = 0; k < n; ++k) found |= x[k] != x[k];
  return found;
}

template <class S, std::size_t kBlock>
float largest_of_block(const float* x) {
  auto even = S::zero();
  auto odd = S::zero();
  for (std::size_t k = 0; k < kBlock; k += 32) {
    even = S::max(S::absolute(S::load(x + k)), even);
    odd = S::max(S::absolute(S::load(x + k + 16)), odd);
  }
  return S::largest(S::max(even, odd));
}

/// Quantises kBlocks blocks.
template <class S, std::size_t kBlock, std::size_t kBlocks>
void quantize_blocks(const float* x, std::int8_t* quants, float* scales) {
  BlockScales<kBlocks> of;
  for (std::size_t b = 0; b < kBlocks; ++b) {
    of.largest[b] = largest_of_block<S, kBlock>(x + b * kBlock);
  }
  find_ends<S, kBlock>(x, of);
  for (std::size_t b = 0; b < kBlocks; ++b, x += kBlock, quants += kBlock) {
    const bool is_small = of.largest[b] < kSmallestBlock;
    if (is_small || of.end[b] == 0.0F) {
      std::memset(quants, 0, kBlock);
      scales[b] = is_small && !has_no_number(x, kBlock) ? 0.0F : kNoNumber;
      continue;
    }
    const auto inverse = S::set(of.inverse[b]);
    for (std::size_t k = 0; k < kBlock; k += 16) {
      S::store_low_8(quants + k, S::nearest(S::mul(S::load(x + k), inverse)));
    }
    scales[b] = of.largest[b] / of.end[b];
  }
}

/// Quantises n elements, a multiple of kBlock.
template <class S, std::size_t kBlock>
void quantize_stretch(const float* x, std::size_t n, std::int8_t* quants, float* scales) {
  constexpr std::size_t kTogether = kBlock == 32 ? 4 : 2;
  std::size_t b = 0;
  for (; (b + kTogether) * kBlock <= n; b += kTogether) {
    quantize_blocks<S, kBlock, kTogether>(x + b * kBlock, quants + b * kBlock, scales + b);
  }
  for (; b * kBlock < n; ++b) {
    quantize_blocks<S, kBlock, 1>(x + b * kBlock, quants + b * kBlock, scales + b);
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

template <class S, std::size_t kBlock>
void fill_strip_q8(const Strip& strip, const float* const* columns) {
  alignas(64) std::int8_t quants[kStripColumns][kStretch] = {};
  const auto width = static_cast<std::size_t>(strip.width);
  for (std::size_t first = 0; first < strip.length; first += kStretch) {
    const std::size_t n = strip.length - first < kStretch ? strip.length - first : kStretch;
    const std::uint32_t* units[kStripColumns];
    for (std::size_t c = 0; c < width; ++c) {
      float scales[kStretch / kBlock] = {};
      std::int32_t sums[kStretch / 16] = {};
      units[c] = reinterpret_cast<const std::uint32_t*>(quants[c]);
      if (c < static_cast<std::size_t>(strip.n_columns)) {
        quantize_stretch<S, kBlock>(columns[c] + first, n, quants[c], scales);
        S::sums_of_16(quants[c], sums);
      }
      float* to = const_cast<float*>(strip.scales) + first / kBlock * width + c;
      for (std::size_t b = 0; b < n / kBlock; ++b) to[b * width] = scales[b];
      put_sums(strip, first, n, c, sums);
    }
    interleave<S>(units, n / 4, strip.width, unit(strip.quants, first / 4, strip));
  }
}

/// Columns one after the other: their elements stand in runs, not in turn.
template <class S>
void fill_wide_strip_q8(const Strip& strip, const float* const* columns) {
  constexpr std::size_t kRun = kWideRun;
  constexpr std::size_t kBlock = 128;
  const auto width = static_cast<std::size_t>(strip.width);
  const auto n_filled = static_cast<std::size_t>(filled_columns(strip));
  for (std::size_t c = 0; c < n_filled; ++c) {
    for (std::size_t first = 0; first < strip.length; first += kStretch) {
      const std::size_t n = strip.length - first < kStretch ? strip.length - first : kStretch;
      alignas(64) std::int8_t quants[kStretch] = {};
      float scales[kStretch / kBlock] = {};
      std::int32_t sums[kStretch / 16] = {};
      if (c < static_cast<std::size_t>(strip.n_columns)) {
        quantize_stretch<S, kBlock>(columns[c] + first, n, quants, scales);
        S::sums_of_16(quants, sums);
      }
      auto* run = const_cast<std::int8_t*>(strip.quants) + (first / kRun * width + c) * kRun;
      for (std::size_t k = 0; k < n; k += kRun, run += width * kRun) {
        std::memcpy(run, quants + k, kRun);
      }
      float* to = const_cast<float*>(strip.scales) + first / kBlock * width + c;
      for (std::size_t b = 0; b < n / kBlock; ++b) to[b * width] = scales[b];
      put_sums(strip, first, n, c, sums);
    }
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
