#include "kernels/attention.h"

#include <cstring>

#include "kernels/quant_blocks.h"

namespace hearth::kernels {
namespace {

constexpr std::size_t kGroup = 32;  // elements of a Q8_0 block
constexpr std::size_t kKeyGroupBytes = kTileKeys * (sizeof(Half) + kGroup);

/// Keys of a tile from `lane` on.
struct KeyRun {
  const std::byte* const* rows;
  std::size_t n;
  std::size_t head_dim;
  std::size_t lane;
};

/// Elements of two or four bytes, in tiles [head_dim][16 keys].
template <class Element>
void store_plain_keys(const KeyRun& run, std::byte* tile) {
  for (std::size_t d = 0; d < run.head_dim; ++d) {
    std::byte* to = tile + (d * kTileKeys + run.lane) * sizeof(Element);
    for (std::size_t i = 0; i < run.n; ++i) {
      std::memcpy(to + i * sizeof(Element), run.rows[i] + d * sizeof(Element), sizeof(Element));
    }
  }
}

void store_q8_0_keys(const KeyRun& run, std::byte* tile) {
  for (std::size_t g = 0; g < run.head_dim / kGroup; ++g, tile += kKeyGroupBytes) {
    for (std::size_t i = 0; i < run.n; ++i) {
      const std::byte* block = run.rows[i] + g * sizeof(BlockQ8_0);
      const std::size_t lane = run.lane + i;
      std::memcpy(tile + lane * sizeof(Half), block + offsetof(BlockQ8_0, d), sizeof(Half));
      const std::byte* quants = block + offsetof(BlockQ8_0, qs);
      std::byte* to = tile + kTileKeys * sizeof(Half) + lane;
      for (std::size_t d = 0; d < kGroup; ++d) to[d * kTileKeys] = quants[d];
    }
  }
}

}  // namespace

std::size_t key_tile_bytes(QuantType type, int head_dim) {
  const auto n = static_cast<std::size_t>(head_dim);
  if (type == QuantType::Q8_0) return n / kGroup * kKeyGroupBytes;
  return kTileKeys * row_bytes(quant_type_info(type), n);
}

std::size_t value_row_bytes(QuantType type, int head_dim) {
  return row_bytes(quant_type_info(type), (static_cast<std::size_t>(head_dim) + 15) / 16 * 16);
}

void store_keys(QuantType type, const std::byte* const* rows, int n, int head_dim, int key,
                void* keys) {
  const auto tile_number = static_cast<std::size_t>(key / kTileKeys);
  const KeyRun run{.rows = rows,
                   .n = static_cast<std::size_t>(n),
                   .head_dim = static_cast<std::size_t>(head_dim),
                   .lane = static_cast<std::size_t>(key % kTileKeys)};
  std::byte* tile = static_cast<std::byte*>(keys) + tile_number * key_tile_bytes(type, head_dim);
  if (type == QuantType::Q8_0) {
    store_q8_0_keys(run, tile);
  } else if (type == QuantType::F16) {
    store_plain_keys<Half>(run, tile);
  } else {
    store_plain_keys<float>(run, tile);
  }
}

std::size_t state_floats(int head_dim_v) {
  return kStateHead + (static_cast<std::size_t>(head_dim_v) + 15) / 16 * 16;
}

AttendChunk AttentionKernels::attend(QuantType type) const {
  if (type == QuantType::F32) return f32;
  if (type == QuantType::F16) return f16;
  return type == QuantType::Q8_0 ? q8_0 : nullptr;
}

}  // namespace hearth::kernels
