// Attention over a chunk of keys, in the operations of a level's Floats. The statement:
// scalar/attention.cpp. A tile's rows go through a block of keys together, so that each key and
// each value is loaded and converted once for all of them.
#pragma once

#include <cstring>

#include "kernels/attention.h"
#include "kernels/generic/functions.h"
#include "kernels/generic/panel_prefetch.h"
#include "kernels/quant_blocks.h"
#include "kernels/strips.h"

namespace hearth::kernels {
namespace {

/// 16 keys' or values' elements as floats, by the type of the cache.
template <class S, QuantType type>
struct Stored;

template <class S>
struct Stored<S, QuantType::F32> {
  /// Up to 32 elements of a tile's keys, d = 32 g on.
  struct KeyGroup {
    const std::byte* at;
    KeyGroup(const std::byte* tile, std::size_t g) : at(tile + g * 32 * kTileKeys * 4) {}
    typename S::V load(std::size_t i) const {
      return S::load(reinterpret_cast<const float*>(at + i * kTileKeys * 4));
    }
  };
  /// Elements d .. d + 15 of a value.
  static typename S::V value(const std::byte* row, std::size_t d) {
    return S::load(reinterpret_cast<const float*>(row + d * 4));
  }
};

template <class S>
struct Stored<S, QuantType::F16> {
  struct KeyGroup {
    const std::byte* at;
    KeyGroup(const std::byte* tile, std::size_t g) : at(tile + g * 32 * kTileKeys * 2) {}
    typename S::V load(std::size_t i) const { return S::load_half(at + i * kTileKeys * 2); }
  };
  static typename S::V value(const std::byte* row, std::size_t d) {
    return S::load_half(row + d * 2);
  }
};

template <class S>
struct Stored<S, QuantType::Q8_0> {
  struct KeyGroup {
    const std::byte* quants;
    typename S::V scales;
    KeyGroup(const std::byte* tile, std::size_t g)
        : quants(tile + g * kTileKeys * (2 + 32) + kTileKeys * 2),
          scales(S::load_half(quants - kTileKeys * 2)) {}
    typename S::V load(std::size_t i) const {
      return S::mul(S::load_bytes(quants + i * kTileKeys), scales);
    }
  };
  static typename S::V value(const std::byte* row, std::size_t d) {
    const std::byte* block = row + d / 32 * sizeof(BlockQ8_0);
    Half scale;
    std::memcpy(&scale, block, sizeof scale);
    return S::mul(S::load_bytes(block + sizeof scale + d % 32), S::set_half(scale));
  }
};

/// With few rows keys and values come from memory as fast as they are used, and a block is too
/// short for the processor's own prefetching. So a block's values are asked for while its keys are
/// multiplied, and the next block's keys while the values are.
class BlockPrefetch {
 public:
  /// `bytes` from `next` on, evenly over n_steps. A hint: it may point past the cache.
  BlockPrefetch(const std::byte* next, std::size_t bytes, std::size_t n_steps)
      : next_(next), lines_per_step_((bytes / kCacheLine + n_steps - 1) / n_steps) {}

  inline __attribute__((always_inline)) void step() {
    for (std::size_t i = 0; i < lines_per_step_; ++i, next_ += kCacheLine) {
      __builtin_prefetch(next_);
    }
  }

 private:
  const std::byte* next_;
  std::size_t lines_per_step_;
};

/// A block of keys on its way: what all rows of the tile see of it is [first, last).
struct Block {
  int start = 0;
  int first = 0;
  int last = 0;
};

template <class S, QuantType type, int kRows>
class TileWalk {
 public:
  TileWalk(const AttentionTile& tile, float* states) : tile_(tile), states_(states) {
    stride_ = kStateHead + padded_dim_v();
  }

  void run(int chunk) {
    for (int r = 0; r < tile_.n_rows; ++r) {
      std::memset(state(r), 0, stride_ * sizeof(float));
    }
    for (float& m : highest_) m = -__builtin_inff();
    for (int start = chunk * kChunkKeys; start < (chunk + 1) * kChunkKeys; start += kBlockKeys) {
      Block block{.start = start, .first = start + kBlockKeys, .last = start};
      for (int r = 0; r < tile_.n_rows; ++r) {
        const AttentionRow& row = tile_.rows[r];
        if (row.first < block.first && row.last > start) block.first = row.first;
        if (row.last > block.last && row.first < start + kBlockKeys) block.last = row.last;
      }
      if (block.first < start) block.first = start;
      if (block.last > start + kBlockKeys) block.last = start + kBlockKeys;
      if (block.first < block.last) attend_block(block);
    }
    for (int r = 0; r < tile_.n_rows; ++r) {
      state(r)[0] = highest_[r];
      state(r)[1] = sums_[r];
    }
  }

 private:
  using V = typename S::V;
  static constexpr int kTiles = S::kSums / kRows >= 4 ? 4 : S::kSums / kRows >= 2 ? 2 : 1;

  std::size_t padded_dim_v() const {
    return (static_cast<std::size_t>(tile_.head_dim_v) + 15) / 16 * 16;
  }
  float* state(int r) const { return states_ + static_cast<std::size_t>(r) * stride_; }

  void attend_block(const Block& block) {
    for (int i = 0; i < kBlockKeys / kTileKeys; i += kTiles) score_tiles(block, i);
    alignas(64) float change[16] = {};  // m - m'
    alignas(64) float sums[16] = {};
    for (int r = 0; r < tile_.n_rows; ++r) change[r] = move_maximum(block, r);
    V row_sums[kRows];
    for (int r = 0; r < kRows; ++r) row_sums[r] = r < tile_.n_rows ? weigh(block, r) : S::zero();
    add_lanes<S, kRows>(row_sums, sums);
    const V factors = exp_of_small<S>(S::load(change));
    S::store(factors_, factors);
    S::store(sums_, S::fma(S::load(sums_), factors, S::load(sums)));
    constexpr int kVectors = kTiles;
    const auto n = static_cast<std::size_t>(tile_.head_dim_v);
    std::size_t d = 0;
    for (; d + kVectors * 16 <= n; d += kVectors * 16) accumulate<kVectors>(block, d);
    for (; d < n; d += 16) accumulate<1>(block, d);
  }

  /// scores_ of the keys of tiles i .. i + kTiles - 1 of the block.
  void score_tiles(const Block& block, int i) {
    const auto dim = static_cast<std::size_t>(tile_.head_dim_k);
    const std::size_t tile_bytes = key_tile_bytes(type, tile_.head_dim_k);
    const int key = block.start - tile_.first_key + i * kTileKeys;
    const std::byte* tiles = static_cast<const std::byte*>(tile_.keys) +
                             static_cast<std::size_t>(key / kTileKeys) * tile_bytes;
    V sums[kTiles][kRows];
    for (auto& tile : sums) {
      for (V& sum : tile) sum = S::zero();
    }
    const std::size_t value_bytes = value_row_bytes(type, tile_.head_dim_v);
    BlockPrefetch values(
        static_cast<const std::byte*>(tile_.values) + static_cast<std::size_t>(key) * value_bytes,
        kTiles * kTileKeys * value_bytes, dim);
    const float* q = tile_.q;
    for (std::size_t g = 0; g * 32 < dim; ++g) {
      const std::size_t n = dim - g * 32 < 32 ? dim - g * 32 : 32;
      score_group(tiles, tile_bytes, g, n, q, values, sums);
      q += n * kRows;
    }
    for (int r = 0; r < tile_.n_rows; ++r) {
      for (int t = 0; t < kTiles; ++t) {
        const int first = (i + t) * kTileKeys;
        S::store(scores_[r] + first,
                 finished_score(sums[t][r], tile_.rows[r], block.start + first));
      }
    }
  }

  static void score_group(const std::byte* tiles, std::size_t tile_bytes, std::size_t g,
                          std::size_t n, const float* q, BlockPrefetch& values,
                          V (&sums)[kTiles][kRows]) {
    using Group = typename Stored<S, type>::KeyGroup;
    const Group first(tiles, g);
    const Group second(kTiles > 1 ? tiles + tile_bytes : tiles, g);
    const Group third(kTiles > 2 ? tiles + 2 * tile_bytes : tiles, g);
    const Group fourth(kTiles > 3 ? tiles + 3 * tile_bytes : tiles, g);
    const Group groups[4] = {first, second, third, fourth};
    for (std::size_t j = 0; j < n; ++j, q += kRows) {
      if constexpr (kRows <= kPrefetchedColumns) values.step();
      V k[kTiles];
#pragma GCC unroll 4
      for (int t = 0; t < kTiles; ++t) k[t] = groups[t].load(j);
#pragma GCC unroll 12
      for (int r = 0; r < kRows; ++r) {
        const V element = S::set(q[r]);
#pragma GCC unroll 4
        for (int t = 0; t < kTiles; ++t) sums[t][r] = S::fma(k[t], element, sums[t][r]);
      }
    }
  }

  // The rows' maxima are found one after the other, then all their weights: a row's own steps wait
  // for each other, those of different rows do not.

  static bool sees_none(const AttentionRow& row, const Block& block) {
    const int first = row.first - block.start;
    const int last = row.last - block.start;
    return first >= kBlockKeys || last <= 0 || first >= last;
  }

  /// Takes row r's scores into its maximum; returns how far that moved, m - m'.
  float move_maximum(const Block& block, int r) {
    const AttentionRow& row = tile_.rows[r];
    if (sees_none(row, block)) return 0.0F;
    float* scores = scores_[r];
    V x[4];
    for (int i = 0; i < 4; ++i) x[i] = S::load(scores + i * 16);
    const int first = row.first - block.start;
    const int last = row.last - block.start;
    if (first > 0 || last < kBlockKeys) {
      hide_outside(x, first, last);
      for (int i = 0; i < 4; ++i) S::store(scores + i * 16, x[i]);
    }
    const float most = S::largest(S::max(S::max(x[0], x[1]), S::max(x[2], x[3])));
    const float before = highest_[r];
    highest_[r] = most > before ? most : before;
    return before - highest_[r];
  }

  /// Turns row r's scores into weights: none of keys, and a factor of 1, where it sees none.
  /// Returns their sums.
  V weigh(const Block& block, int r) {
    float* scores = scores_[r];
    if (sees_none(tile_.rows[r], block)) {
      for (int i = 0; i < kBlockKeys; i += 16) S::store(scores + i, S::zero());
      return S::zero();
    }
    const V subtrahend = S::set(highest_[r]);
    V x[4];
    for (int i = 0; i < 4; ++i)
      x[i] = exp_of_small<S>(S::sub(S::load(scores + i * 16), subtrahend));
    for (int i = 0; i < 4; ++i) S::store(scores + i * 16, x[i]);
    return S::add(S::add(S::add(x[0], x[1]), x[2]), x[3]);
  }

  /// Scaled, capped and biased, for the 16 keys from `key` on.
  V finished_score(V dots, const AttentionRow& row, int key) const {
    V s = S::mul(dots, S::set(tile_.scale));
    if (tile_.softcap > 0.0F) {
      const V cap = S::set(tile_.softcap);
      s = S::mul(tanh<S>(S::div(s, cap)), cap);
    }
    if (row.slope != 0.0F) {
      const auto from_row = S::add(S::lane_numbers(), S::set(key - row.position));
      s = S::fma(S::set(-row.slope), S::to_float(S::absolute(from_row)), s);
    }
    return row.bias ? S::add(s, S::load(row.bias + (key - row.position))) : s;
  }

  /// -infinity in place of scores outside [first, last).
  static void hide_outside(V (&x)[4], int first, int last) {
    const auto hidden = S::bits(S::set(-__builtin_inff()));
    for (int i = 0; i < 4; ++i) {
      const auto key = S::add(S::lane_numbers(), S::set(i * 16));
      const auto seen = S::where_greater(key, S::set(first - 1), S::bits(x[i]), hidden);
      x[i] = S::as_float(S::where_greater(S::set(last), key, seen, hidden));
    }
  }

  /// acc = acc * factor + weights . values, for kVectors * 16 elements from d on.
  template <int kVectors>
  void accumulate(const Block& block, std::size_t d) {
    V acc[kRows][kVectors];
#pragma GCC unroll 12
    for (int r = 0; r < kRows; ++r) {
      const bool is_used = r < tile_.n_rows;
      const float* from = state(is_used ? r : 0) + kStateHead + d;
      const V factor = S::set(is_used ? factors_[r] : 0.0F);
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) acc[r][v] = S::mul(S::load(from + v * 16), factor);
    }
    const std::size_t row_bytes = value_row_bytes(type, tile_.head_dim_v);
    const std::byte* row = static_cast<const std::byte*>(tile_.values) +
                           static_cast<std::size_t>(block.first - tile_.first_key) * row_bytes;
    const float* weights = scores_[0] + (block.first - block.start);
    const std::size_t key_bytes = key_tile_bytes(type, tile_.head_dim_k) * (kBlockKeys / kTileKeys);
    const std::size_t share = key_bytes * kVectors * 16 / padded_dim_v();
    const int next = (block.start - tile_.first_key) / kBlockKeys + 1;
    BlockPrefetch next_keys(static_cast<const std::byte*>(tile_.keys) +
                                static_cast<std::size_t>(next) * key_bytes +
                                key_bytes * d / padded_dim_v(),
                            share, kBlockKeys);
    for (int key = block.first; key < block.last; ++key, row += row_bytes, ++weights) {
      if constexpr (kRows <= kPrefetchedColumns) next_keys.step();
      V value[kVectors];
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) value[v] = Stored<S, type>::value(row, d + v * 16);
#pragma GCC unroll 12
      for (int r = 0; r < kRows; ++r) {
        const V weight = S::set(weights[r * kBlockKeys]);
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) acc[r][v] = S::fma(weight, value[v], acc[r][v]);
      }
    }
#pragma GCC unroll 12
    for (int r = 0; r < kRows; ++r) {
      if (r >= tile_.n_rows) break;
      float* to = state(r) + kStateHead + d;
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) S::store(to + v * 16, acc[r][v]);
    }
  }

  const AttentionTile& tile_;
  float* states_;
  std::size_t stride_;
  alignas(64) float scores_[kRows][kBlockKeys] = {};  // then weights
  alignas(64) float highest_[16] = {};                // m of each row
  alignas(64) float sums_[16] = {};                   // l
  alignas(64) float factors_[16] = {};
};

template <class S, QuantType type>
void attend_chunk(const AttentionTile& tile, int chunk, float* states) {
  switch (padded_width(tile.n_rows)) {
    case 1:
      return TileWalk<S, type, 1>(tile, states).run(chunk);
    case 2:
      return TileWalk<S, type, 2>(tile, states).run(chunk);
    case 4:
      return TileWalk<S, type, 4>(tile, states).run(chunk);
    case 6:
      return TileWalk<S, type, 6>(tile, states).run(chunk);
    default:
      if constexpr (S::kSums >= 8) {
        if (padded_width(tile.n_rows) == 8) {
          TileWalk<S, type, 8>(tile, states).run(chunk);
        } else {
          TileWalk<S, type, 12>(tile, states).run(chunk);
        }
      }
  }
}

template <class S>
void merge_chunk(float* total, const float* chunk, int head_dim_v) {
  const std::size_t n = kStateHead + (static_cast<std::size_t>(head_dim_v) + 15) / 16 * 16;
  if (chunk[1] == 0.0F) return;
  if (total[1] == 0.0F) {
    std::memcpy(total, chunk, n * sizeof(float));
    return;
  }
  const auto highest = S::max(S::set(total[0]), S::set(chunk[0]));
  const auto old = exp_of_small<S>(S::sub(S::set(total[0]), highest));
  const auto fresh = exp_of_small<S>(S::sub(S::set(chunk[0]), highest));
  total[0] = S::largest(highest);
  // l stands in the first sixteen, as acc stands in those that follow.
  const float l =
      S::sum(S::keep_first(S::fma(S::set(chunk[1]), fresh, S::mul(S::set(total[1]), old)), 1));
  for (std::size_t i = kStateHead; i < n; i += 16) {
    S::store(total + i, S::fma(S::load(chunk + i), fresh, S::mul(S::load(total + i), old)));
  }
  total[1] = l;
}

template <class S>
void finish_attention(const float* state, int head_dim_v, float* out) {
  const auto n = static_cast<std::size_t>(head_dim_v);
  const float* acc = state + kStateHead;
  const auto l = S::set(state[1]);
  std::size_t d = 0;
  for (; d + 16 <= n; d += 16) S::store(out + d, S::div(S::load(acc + d), l));
  if (d < n) S::store_first(out + d, S::div(S::load(acc + d), l), n - d);
}

template <class S>
AttentionKernels attention_kernels() {
  return {.most_rows = S::kSums >= 12 ? 12 : 6,
          .f32 = attend_chunk<S, QuantType::F32>,
          .f16 = attend_chunk<S, QuantType::F16>,
          .q8_0 = attend_chunk<S, QuantType::Q8_0>,
          .merge = merge_chunk<S>,
          .finish = finish_attention<S>};
}

}  // namespace
}  // namespace hearth::kernels
