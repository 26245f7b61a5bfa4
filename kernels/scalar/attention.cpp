#include "kernels/scalar/attention.h"

#include <cstring>

#include "kernels/half.h"
#include "kernels/scalar/functions.h"
#include "kernels/scalar/sum.h"
#include "kernels/strips.h"

namespace hearth::kernels::scalar {
namespace {

template <class Element>
Element read(const std::byte* p) {
  Element element;
  std::memcpy(&element, p, sizeof element);
  return element;
}

/// Element d of a key in its tile, and of a value in its row.
template <QuantType type>
struct Stored;

template <>
struct Stored<QuantType::F32> {
  static float key(const std::byte* tile, std::size_t d, std::size_t lane) {
    return read<float>(tile + (d * kTileKeys + lane) * sizeof(float));
  }
  static float value(const std::byte* row, std::size_t d) {
    return read<float>(row + d * sizeof(float));
  }
};

template <>
struct Stored<QuantType::F16> {
  static float key(const std::byte* tile, std::size_t d, std::size_t lane) {
    return f16_to_f32(read<Half>(tile + (d * kTileKeys + lane) * sizeof(Half)));
  }
  static float value(const std::byte* row, std::size_t d) {
    return f16_to_f32(read<Half>(row + d * sizeof(Half)));
  }
};

template <>
struct Stored<QuantType::Q8_0> {
  static float key(const std::byte* tile, std::size_t d, std::size_t lane) {
    const std::byte* group = tile + d / 32 * (kTileKeys * (sizeof(Half) + 32));
    const float scale = f16_to_f32(read<Half>(group + lane * sizeof(Half)));
    const std::byte* quants = group + kTileKeys * sizeof(Half);
    return static_cast<float>(read<std::int8_t>(quants + d % 32 * kTileKeys + lane)) * scale;
  }
  static float value(const std::byte* row, std::size_t d) {
    const auto block = read<BlockQ8_0>(row + d / 32 * sizeof(BlockQ8_0));
    return static_cast<float>(block.qs[d % 32]) * f16_to_f32(block.d);
  }
};

float larger(float a, float b) {
  return a > b ? a : b;
}

template <QuantType type>
float score(const AttentionTile& tile, int r, int key) {
  const AttentionRow& row = tile.rows[r];
  const auto width = static_cast<std::size_t>(padded_width(tile.n_rows));
  const std::byte* keys = static_cast<const std::byte*>(tile.keys) +
                          static_cast<std::size_t>((key - tile.first_key) / kTileKeys) *
                              key_tile_bytes(type, tile.head_dim_k);
  float s = 0.0F;
  for (std::size_t d = 0; d < static_cast<std::size_t>(tile.head_dim_k); ++d) {
    const float k = Stored<type>::key(keys, d, static_cast<std::size_t>(key % kTileKeys));
    s = __builtin_fmaf(k, tile.q[d * width + static_cast<std::size_t>(r)], s);
  }
  s = s * tile.scale;
  if (tile.softcap > 0.0F) s = tanh(s / tile.softcap) * tile.softcap;
  const int distance = row.position > key ? row.position - key : key - row.position;
  if (row.slope != 0.0F) s = __builtin_fmaf(-row.slope, static_cast<float>(distance), s);
  return row.bias ? s + row.bias[key - row.position] : s;
}

/// The block's keys [first, last) that row r sees, at least one, into its state.
template <QuantType type>
void attend_block(const AttentionTile& tile, int r, int first, int last, float* state) {
  float scores[kBlockKeys];
  float highest = state[0];
  for (int key = first; key < last; ++key) {
    scores[key % kBlockKeys] = score<type>(tile, r, key);
    highest = larger(scores[key % kBlockKeys], highest);
  }
  const float factor = exp(state[0] - highest);
  float* acc = state + kStateHead;
  for (int d = 0; d < tile.head_dim_v; ++d) acc[d] *= factor;
  float sums[16] = {};
  for (int key = first; key < last; ++key) {
    const float p = exp(scores[key % kBlockKeys] - highest);
    sums[key % 16] += p;
    const std::byte* row =
        static_cast<const std::byte*>(tile.values) +
        static_cast<std::size_t>(key - tile.first_key) * value_row_bytes(type, tile.head_dim_v);
    for (int d = 0; d < tile.head_dim_v; ++d) {
      acc[d] = __builtin_fmaf(p, Stored<type>::value(row, static_cast<std::size_t>(d)), acc[d]);
    }
  }
  state[0] = highest;
  state[1] = __builtin_fmaf(state[1], factor, sum_of_lanes(sums));
}

template <QuantType type>
void attend_chunk(const AttentionTile& tile, int chunk, float* states) {
  for (int r = 0; r < tile.n_rows; ++r, states += state_floats(tile.head_dim_v)) {
    states[0] = -__builtin_inff();
    for (std::size_t i = 1; i < state_floats(tile.head_dim_v); ++i) states[i] = 0.0F;
    const AttentionRow& row = tile.rows[r];
    for (int block = chunk * kChunkKeys; block < (chunk + 1) * kChunkKeys; block += kBlockKeys) {
      const int first = row.first > block ? row.first : block;
      const int last = row.last < block + kBlockKeys ? row.last : block + kBlockKeys;
      if (first < last) attend_block<type>(tile, r, first, last, states);
    }
  }
}

void merge(float* total, const float* chunk, int head_dim_v) {
  if (chunk[1] == 0.0F) return;
  if (total[1] == 0.0F) {
    std::memcpy(total, chunk, state_floats(head_dim_v) * sizeof(float));
    return;
  }
  const float highest = larger(total[0], chunk[0]);
  const float old = exp(total[0] - highest);
  const float fresh = exp(chunk[0] - highest);
  total[0] = highest;
  total[1] = __builtin_fmaf(chunk[1], fresh, total[1] * old);
  for (std::size_t i = kStateHead; i < state_floats(head_dim_v); ++i) {
    total[i] = __builtin_fmaf(chunk[i], fresh, total[i] * old);
  }
}

void finish(const float* state, int head_dim_v, float* out) {
  const float* acc = state + kStateHead;
  for (int d = 0; d < head_dim_v; ++d) out[d] = acc[d] / state[1];
}

}  // namespace

AttentionKernels attention_kernels() {
  return {.most_rows = kStripColumns,
          .f32 = attend_chunk<QuantType::F32>,
          .f16 = attend_chunk<QuantType::F16>,
          .q8_0 = attend_chunk<QuantType::Q8_0>,
          .merge = merge,
          .finish = finish};
}

}  // namespace hearth::kernels::scalar
