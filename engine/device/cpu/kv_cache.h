// The CPU's KV cache: keys in tiles and values in rows, head by head, as kernels/attention.h has
// them. A windowed layer keeps the chunks of keys that the rows of a step can look back at, in a
// ring: chunk c stands where chunk c - n_chunks stood.
#pragma once

#include <cstddef>
#include <vector>

#include "engine/device/cpu/huge_pages.h"
#include "engine/device/device.h"
#include "kernels/kernel_table.h"

namespace hearth {

class CpuKvCache final : public KvCache {
 public:
  /// Throws Error when the type cannot hold heads of these dimensions.
  explicit CpuKvCache(const KvShape& shape);

  /// Bytes that such caches take. Throws as the constructor.
  static std::uint64_t bytes_for(const KvShape& shape);

  int first_kept(int layer, int highest) const override;

  /// Where a head of a sequence has the keys and values of a chunk.
  struct Chunk {
    std::byte* keys;
    std::byte* values;
  };
  Chunk chunk(int layer, int slot, int head_kv, int number) const;

  int head_dim_k(int layer) const;
  int head_dim_v(int layer) const;

  /// Puts keys and values of all heads in their places: rows [first, first + n) of k [k_columns]
  /// and v [v_columns], tokens of one sequence that follow each other from `position` on, all
  /// within a tile of kernels::kTileKeys.
  void store(const kernels::KernelTable& kernels, int layer, int slot, int position, Tensor k,
             Tensor v, int first, int n);

 private:
  struct Layer {
    std::size_t at = 0;          // of slot 0, head 0
    std::size_t key_bytes = 0;   // of a head of a slot
    std::size_t head_bytes = 0;  // keys and values
    int n_chunks = 0;            // in the ring
  };
  const KvShape::Layer& columns(int layer) const {
    return shape().layers[static_cast<std::size_t>(layer)];
  }

  static std::vector<Layer> lay_out(const KvShape& shape, std::size_t& used);

  std::vector<Layer> layers_;
  HugePages memory_;
};

}  // namespace hearth
