#include "engine/device/cpu/kv_cache.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "engine/device/host_buffer.h"
#include "kernels/attention.h"
#include "kernels/dispatch.h"

namespace hearth {
namespace {

constexpr std::size_t kAlignment = 64;

std::size_t rounded_up(std::size_t n, std::size_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

/// Chunks that hold what the rows of a step look back at, wherever it begins.
int window_chunks(const KvShape& shape, const KvShape::Layer& layer) {
  const int span = layer.window + shape.n_ubatch - 1;
  return (span - 1 + kernels::kChunkKeys - 1) / kernels::kChunkKeys + 1;
}

void check_head_dim(QuantType type, int head_dim) {
  const QuantTypeInfo& info = quant_type_info(type);
  const auto block = static_cast<int>(info.block_elements);
  if (head_dim % block == 0) return;
  throw Error(Error::Parts{
      .where = "KV cache",
      .what = fmt::format("{} stores blocks of {} elements, which the heads of this model are not "
                          "made of; another --kv-type can",
                          info.name, block),
      .expected = fmt::format("a head dimension that is a multiple of {}", block),
      .got = fmt::format("{}", head_dim)});
}

}  // namespace

CpuKvCache::CpuKvCache(const KvShape& shape) : KvCache(shape) {
  std::size_t used = 0;
  layers_ = lay_out(shape, used);
  memory_ = HugePages(used);
}

std::uint64_t CpuKvCache::bytes_for(const KvShape& shape) {
  std::size_t used = 0;
  lay_out(shape, used);
  return used;
}

std::vector<CpuKvCache::Layer> CpuKvCache::lay_out(const KvShape& shape, std::size_t& used) {
  HEARTH_CHECK(kernels::scalar_kernels().attention.attend(shape.type) != nullptr);
  const std::size_t all_keys =
      rounded_up(static_cast<std::size_t>(shape.n_ctx), kernels::kBlockKeys);
  std::vector<Layer> layers;
  for (const KvShape::Layer& layer : shape.layers) {
    HEARTH_CHECK(layer.k_columns % layer.n_head_kv == 0 && layer.v_columns % layer.n_head_kv == 0);
    const int dim_k = layer.k_columns / layer.n_head_kv;
    const int dim_v = layer.v_columns / layer.n_head_kv;
    check_head_dim(shape.type, dim_k);
    check_head_dim(shape.type, dim_v);
    std::size_t n_keys = all_keys;
    if (layer.window > 0) {
      const auto ring = static_cast<std::size_t>(window_chunks(shape, layer)) * kernels::kChunkKeys;
      n_keys = std::min(ring, all_keys);
    }
    const std::size_t key_bytes = rounded_up(
        n_keys / kernels::kTileKeys * kernels::key_tile_bytes(shape.type, dim_k), kAlignment);
    const std::size_t value_bytes =
        rounded_up(n_keys * kernels::value_row_bytes(shape.type, dim_v), kAlignment);
    layers.push_back({.at = used,
                      .key_bytes = key_bytes,
                      .head_bytes = key_bytes + value_bytes,
                      .n_chunks = static_cast<int>(rounded_up(n_keys, kernels::kChunkKeys) /
                                                   kernels::kChunkKeys)});
    used += layers.back().head_bytes * static_cast<std::size_t>(layer.n_head_kv) *
            static_cast<std::size_t>(shape.n_slots);
  }
  return layers;
}

int CpuKvCache::head_dim_k(int layer) const {
  return columns(layer).k_columns / columns(layer).n_head_kv;
}

int CpuKvCache::head_dim_v(int layer) const {
  return columns(layer).v_columns / columns(layer).n_head_kv;
}

int CpuKvCache::first_kept(int layer, int highest) const {
  const int n_chunks = layers_[static_cast<std::size_t>(layer)].n_chunks;
  return std::max(0, highest / kernels::kChunkKeys - n_chunks + 1) * kernels::kChunkKeys;
}

CpuKvCache::Chunk CpuKvCache::chunk(int layer, int slot, int head_kv, int number) const {
  HEARTH_CHECK(slot < shape().n_slots && head_kv < columns(layer).n_head_kv);
  const Layer& place = layers_[static_cast<std::size_t>(layer)];
  const int head = slot * columns(layer).n_head_kv + head_kv;
  std::byte* keys = memory_.data() + place.at + static_cast<std::size_t>(head) * place.head_bytes;
  std::byte* values = keys + place.key_bytes;
  const auto first = static_cast<std::size_t>(number % place.n_chunks) * kernels::kChunkKeys;
  const QuantType type = shape().type;
  return {keys + first / kernels::kTileKeys * kernels::key_tile_bytes(type, head_dim_k(layer)),
          values + first * kernels::value_row_bytes(type, head_dim_v(layer))};
}

void CpuKvCache::store(const kernels::KernelTable& kernels, int layer, int slot, int position,
                       Tensor k, Tensor v, int first, int n) {
  HEARTH_CHECK(position % kernels::kTileKeys + n <= kernels::kTileKeys);
  HEARTH_CHECK(position + n <= shape().n_ctx);
  const QuantType type = shape().type;
  const int dim_k = head_dim_k(layer);
  const int dim_v = head_dim_v(layer);
  const std::size_t value_row = kernels::value_row_bytes(type, dim_v);
  const std::size_t key_row = row_bytes(quant_type_info(type), static_cast<std::size_t>(dim_k));
  const kernels::QuantizeRow quantize = kernels.quantize_row[type];
  thread_local std::vector<std::byte> quantized;
  quantized.resize(key_row * kernels::kTileKeys);
  const std::byte* keys[kernels::kTileKeys];
  const int in_chunk = position % kernels::kChunkKeys;
  for (int h = 0; h < columns(layer).n_head_kv; ++h) {
    const Chunk place = chunk(layer, slot, h, position / kernels::kChunkKeys);
    std::byte* value = place.values + static_cast<std::size_t>(in_chunk) * value_row;
    for (int i = 0; i < n; ++i, value += value_row) {
      std::byte* key = quantized.data() + static_cast<std::size_t>(i) * key_row;
      quantize(row_of(k, first + i) + h * dim_k, key, static_cast<std::size_t>(dim_k));
      quantize(row_of(v, first + i) + h * dim_v, value, static_cast<std::size_t>(dim_v));
      keys[i] = key;
    }
    kernels::store_keys(type, keys, n, dim_k, in_chunk, place.keys);
  }
}

}  // namespace hearth
