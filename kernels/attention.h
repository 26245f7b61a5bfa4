// Attention of a few query rows over the keys and values of one KV head (arXiv 1706.03762, with the
// running maximum of arXiv 2205.14135).
//
// What a row's result is does not depend on which rows stand beside it, nor on how its keys are
// shared out, because sums have one order. Keys come in blocks of kBlockKeys and chunks of
// kChunkKeys, at absolute positions. In a chunk, from m = -infinity, l = 0, acc = 0, for each block
// in which the row sees a key:
//   s_j = (sum over d of k_j[d] q[d], one fma after the other) * scale; then c tanh(s_j / c) if
//         there is a softcap c; then fma(-slope, |position - j|, s_j) if there is a slope; then
//         + bias[j - position] if there is a bias
//   m'  = the largest of m and the s_j of keys that the row sees
//   f   = exp(m - m'), p_j = exp(s_j - m'), 0 for keys that the row does not see
//   l   = fma(l, f, sum of p_j in the order of row_kernels.h)
//   acc = acc * f; then acc = fma(p_j, v_j, acc) for each j in order
// Chunks in which the row sees a key are merged in order, m' = the larger m:
//   total = fma(chunk, exp(m_chunk - m'), total * exp(m_total - m')), for l and acc
// and the row's result is acc / l. The statement is scalar/attention.cpp.
#pragma once

#include <cstddef>

#include "kernels/quant_types.h"

namespace hearth::kernels {

inline constexpr int kBlockKeys = 64;
inline constexpr int kChunkKeys = 512;
inline constexpr int kTileKeys = 16;

// How keys and values of one KV head lie in memory, for the types F32, F16 and Q8_0 (of which the
// head's dimension is a multiple of 32). Memory is there for a multiple of kBlockKeys keys, and
// finite.
//
// Keys: tiles of kTileKeys, so that a vector's lanes are keys. F32, F16: [head_dim][16 keys].
// Q8_0: [head_dim / 32] groups of 16 half scales and [32][16 keys] quants.
// Values: a row per key, padded to a multiple of 16 elements. F32, F16: [head_dim]; Q8_0: blocks.

/// Bytes from a tile of keys to the next.
std::size_t key_tile_bytes(QuantType type, int head_dim);

/// Bytes from a row of values to the next.
std::size_t value_row_bytes(QuantType type, int head_dim);

/// Puts keys that follow each other within a tile in their places, from number `key` on. rows [n]:
/// head_dim elements of `type` each, as quantize_row makes them.
void store_keys(QuantType type, const std::byte* const* rows, int n, int head_dim, int key,
                void* keys);

/// A query row: a head of a token.
struct AttentionRow {
  int first = 0;  // it sees the keys [first, last)
  int last = 0;
  int position = 0;
  float slope = 0.0F;  // of ALiBi
  /// What a key's distance adds to its score, or nullptr. Points at distance 0; distances from
  /// -position to those of the end of the last block that the row sees can be read.
  const float* bias = nullptr;
};

/// What is known of a row after some of its keys: m, l, and acc from kStateHead on.
inline constexpr std::size_t kStateHead = 16;
std::size_t state_floats(int head_dim_v);

struct AttentionTile {
  int n_rows = 0;                      // at most the kernel's most_rows
  const float* q = nullptr;            // [head_dim_k][padded_width(n_rows)] (strips.h), rest zero
  const AttentionRow* rows = nullptr;  // [n_rows]
  const void* keys = nullptr;
  const void* values = nullptr;
  int first_key = 0;  // the position of the first of keys and values, a multiple of kChunkKeys
  int head_dim_k = 0;
  int head_dim_v = 0;
  float scale = 1.0F;
  float softcap = 0.0F;  // 0: none
};

/// Sets states [n_rows][state_floats] to those of chunk number `chunk`. A row that sees no key of
/// it gets l = 0.
using AttendChunk = void (*)(const AttentionTile& tile, int chunk, float* states);

/// Takes the chunk that follows into `total`, a state each; l = 0 means that nothing was seen.
using MergeChunk = void (*)(float* total, const float* chunk, int head_dim_v);

/// out [head_dim_v] = acc / l.
using FinishAttention = void (*)(const float* state, int head_dim_v, float* out);

struct AttentionKernels {
  int most_rows = 0;  // at most kStripColumns
  AttendChunk f32 = nullptr;
  AttendChunk f16 = nullptr;
  AttendChunk q8_0 = nullptr;
  MergeChunk merge = nullptr;
  FinishAttention finish = nullptr;

  /// By the type of the keys and values; nullptr for others.
  AttendChunk attend(QuantType type) const;
};

}  // namespace hearth::kernels
