// The KV cache's verbs.
#include <algorithm>
#include <bit>

#include "engine/device/vulkan/verbs.h"

namespace hearth::vulkan {
namespace {

/// Runs of fewer rows than this go through attn_split, which shares the keys of a row out over
/// workgroups.
constexpr int kFewRows = 4;

/// Of attn_split: keys of a chunk at least (shaders/common/chunks.glsl), chunks of a row at most,
/// workgroups that are enough to keep a device busy, and heads that a workgroup has together.
constexpr int kLeastChunk = 16;
constexpr int kMostChunks = 64;
constexpr int kMostKeys = 2048;  // of a chunk, where there may be so many chunks
constexpr int kEnoughGroups = 512;
constexpr int kMostHeadsAtOnce = 8;

/// Rows and keys of a block of attn_block, so that its shared memory suffices.
struct BlockSize {
  std::uint32_t rows = 32;
  std::uint32_t keys = 32;
};

BlockSize block_size(const AttentionSpec& spec, std::uint32_t lanes, std::uint32_t shared_bytes) {
  const auto dim_k = static_cast<std::uint32_t>(spec.head_dim_k);
  const auto dim = std::max(dim_k, static_cast<std::uint32_t>(spec.head_dim_v)) + 7;
  BlockSize size;
  if (lanes < size.rows) size = {.rows = 8, .keys = 16};
  const auto floats = [&] {
    return size.rows * dim_k + size.keys * dim + size.rows * size.keys + 6 * size.rows + lanes;
  };
  while (4 * floats() > shared_bytes && size.keys > 2) {
    size.keys /= 2;
    size.rows = std::max(size.rows / 2, 4U);
  }
  return size;
}

/// Mesa's software device ends the loops of a shader when they have had 65,535 rounds together, and
/// leaves what it has by then.
constexpr std::uint64_t kMostRoundsOfSoftware = 65000;

/// The rounds of a lane of attn_block over `reach` keys, the inner loops' too.
std::uint64_t rounds_of_block(const BlockSize& block, const AttentionSpec& spec, int reach,
                              std::uint32_t lanes) {
  const auto dim_k = static_cast<std::uint64_t>(spec.head_dim_k);
  const auto dim_v = static_cast<std::uint64_t>(spec.head_dim_v);
  const std::uint64_t keys = block.keys;
  const std::uint64_t rows = block.rows;
  const std::uint64_t read = groups_for(keys * groups_for(dim_k, 8), lanes) +
                             groups_for(keys * groups_for(dim_v, 8), lanes);
  const std::uint64_t score = groups_for(rows * keys / 8, lanes) * (dim_k + 1);
  const std::uint64_t weigh = groups_for(rows, lanes) * 2 * (keys + lanes);
  const std::uint64_t sum = groups_for(rows * groups_for(dim_v, 4) / 4, lanes) * (keys + 1);
  return groups_for(static_cast<std::uint64_t>(reach), keys) * (1 + read + score + weigh + sum);
}

}  // namespace

void ComputeDevice::kv_store(KvCache& cache, int layer, Tensor k, Tensor v) {
  store(k, k, v, {}, cache, layer);
}

void ComputeDevice::rope_and_store(Tensor q, Tensor k, Tensor v, const Rope& rope, KvCache& cache,
                                   int layer) {
  HEARTH_CHECK(q.columns % rope.head_dim == 0 && q.rows == k.rows);
  store(q, k, v, rope.frequencies.empty() ? Rotation{} : rotation_of(rope), cache, layer);
}

/// k, rotated, and v, in the step's places of the cache, and q rotated in place; without a rotation
/// q is not touched.
void ComputeDevice::store(Tensor q, Tensor k, Tensor v, const Rotation& rotation, KvCache& cache,
                          int layer) {
  const auto& kv = static_cast<const PieceKvCache&>(cache);
  HEARTH_CHECK(k.rows == step_.n_tokens() && v.rows == step_.n_tokens());
  const auto il = static_cast<std::size_t>(layer);
  const KvShape::Layer& columns = kv.shape().layers[il];
  HEARTH_CHECK(step_.longest() <= kv.shape().n_ctx);
  HEARTH_CHECK(k.columns == columns.k_columns && v.columns == columns.v_columns);
  const QuantType type = kv.shape().type;
  const int dim_k = k.columns / columns.n_head_kv;
  const int dim_v = v.columns / columns.n_head_kv;
  const bool rotates = rotation.n_pairs > 0;
  const int n_head = rotates ? q.columns / dim_k : 0;
  const std::uint64_t pairs =
      static_cast<std::uint64_t>(n_head) * static_cast<std::uint64_t>(rotation.n_pairs);
  const std::uint64_t words = (kv_row_words(type, dim_k) + kv_row_words(type, dim_v)) *
                              static_cast<std::uint64_t>(columns.n_head_kv);
  const PushWords still = push_words(0, 0, 1, 1, 1.0F);
  run({.verb = "kv_store",
       .module = "kv_store",
       .constants = {tuning_.plain_lanes, static_cast<std::uint32_t>(type)},
       .bindings = {bind(q, rotates), bind(k), bind(v), bind(kv.layers[il].k),
                    bind(kv.layers[il].v), bind(step_buffer_)},
       .push = push_words(k.rows, n_head, columns.n_head_kv, dim_k, dim_v, kv.shape().n_ctx,
                          q.offset, q.stride, k.offset, k.stride, v.offset, v.stride) +
               (rotates ? rotation.push : still),
       .groups =
           groups_for(static_cast<std::uint64_t>(k.rows) * (pairs + words), tuning_.plain_lanes)});
}

void ComputeDevice::attention(Tensor out, Tensor q, const KvCache& cache,
                              const AttentionSpec& spec) {
  if (spec.relative_bias) {
    throw Error(Error::Parts{.where = "Vulkan device",
                             .what = "has no relative position bias yet, which this model needs",
                             .expected = "--device cpu",
                             .got = {}});
  }
  const auto& kv = static_cast<const PieceKvCache&>(cache);
  HEARTH_CHECK(q.rows == step_.n_tokens() && out.rows == q.rows);
  const BlockSize block =
      block_size(spec, tuning_.attention_lanes, gpu_.limits().maxComputeSharedMemorySize);
  const bool has_blocks = !gpu_.info().is_software ||
                          rounds_of_block(block, spec, step_.longest(), tuning_.attention_lanes) <
                              kMostRoundsOfSoftware;
  int row = 0;
  int few = 0;  // rows of short runs before `row`, still to be done
  for (const StepRun& run_of_rows : step_.runs()) {
    if (run_of_rows.n_tokens < kFewRows || !has_blocks) {
      few += run_of_rows.n_tokens;
    } else {
      if (few > 0) attend_split(out, q, kv, spec, row - few, few);
      few = 0;
      attend_block(out, q, kv, spec, row, run_of_rows.n_tokens);
    }
    row += run_of_rows.n_tokens;
  }
  if (few > 0) attend_split(out, q, kv, spec, row - few, few);
}

/// Chunks that the keys of a row are cut into at most, where so many workgroups have its heads. The
/// number stays the same while the context grows to the next power of two: so does what is
/// recorded.
int ComputeDevice::chunks_for(int groups, int n_rows) const {
  const int reach = static_cast<int>(std::bit_ceil(static_cast<unsigned>(step_.longest())));
  const int least = std::clamp(reach / kMostKeys, 1, kMostChunks);
  const int most = std::clamp(kEnoughGroups / std::max(groups * n_rows, 1), least, kMostChunks);
  return std::clamp(reach / kLeastChunk, 1, most);
}

void ComputeDevice::attend_split(Tensor out, Tensor q, const PieceKvCache& kv,
                                 const AttentionSpec& spec, int first, int n_rows) {
  const auto il = static_cast<std::size_t>(spec.layer);
  const auto type = static_cast<std::uint32_t>(kv.shape().type);
  const auto dim_k = static_cast<std::uint32_t>(spec.head_dim_k);
  const auto dim_v = static_cast<std::uint32_t>(spec.head_dim_v);
  const int per_kv = spec.n_head / spec.n_head_kv;
  const int shared_by = std::min(per_kv, kMostHeadsAtOnce);
  const int groups = spec.n_head_kv * ((per_kv + shared_by - 1) / shared_by);
  const int n_chunks = chunks_for(groups, n_rows);
  const std::uint64_t row_bytes_here = sizeof(float) * static_cast<std::uint64_t>(spec.n_head) *
                                       static_cast<std::uint64_t>(n_chunks) *
                                       static_cast<std::uint64_t>(spec.head_dim_v + 2);
  const std::uint64_t room = std::min<std::uint64_t>(options_.partial_bytes / row_bytes_here,
                                                     gpu_.limits().maxComputeWorkGroupCount[2]);
  const auto at_once = static_cast<int>(std::min<std::uint64_t>(room, 1U << 16));
  HEARTH_CHECK(at_once > 0);
  const bool is_all = n_rows == out.rows && n_rows <= at_once;
  const bool as_bytes = is_all && dim_v % kUnit == 0 && wants_bytes(out);
  for (int done = 0; done < n_rows; done += at_once) {
    const int rows = std::min(at_once, n_rows - done);
    const auto z = static_cast<std::uint32_t>(rows);
    run({.verb = "attention",
         .module = "attn_split",
         .constants = {tuning_.attention_lanes, type, dim_k, dim_v,
                       static_cast<std::uint32_t>(shared_by)},
         .bindings = {bind(q), bind(kv.layers[il].k), bind(kv.layers[il].v), bind(partial_),
                      bind(step_buffer_)},
         .push = push_words(first + done, rows, spec.n_head, spec.n_head_kv, kv.shape().n_ctx,
                            q.offset, q.stride, n_chunks, spec.window, spec.causal, spec.scale,
                            spec.softcap, spec.max_alibi_bias),
         .grid = {static_cast<std::uint32_t>(groups), static_cast<std::uint32_t>(n_chunks), z}});
    run({.verb = "attention",
         .module = "attn_merge",
         .constants = {tuning_.merge_lanes, dim_v, static_cast<std::uint32_t>(n_chunks), as_bytes},
         .bindings = {bind(partial_), bind(out), bind(step_buffer_), bind(bytes_, as_bytes)},
         .push = push_words(first + done, rows, spec.n_head, out.offset, out.stride, spec.window,
                            spec.causal),
         .grid = {static_cast<std::uint32_t>(spec.n_head), 1, z}});
  }
  if (as_bytes) bytes_are_of(out);
}

/// The push constants of attn_block and attn_block_matrix.
PushWords ComputeDevice::block_push(const Tensor& out, const Tensor& q, const PieceKvCache& kv,
                                    const AttentionSpec& spec, int first, int n_rows) {
  return push_words(first, n_rows, spec.n_head, spec.n_head_kv, kv.shape().n_ctx, q.offset,
                    q.stride, out.offset, out.stride, spec.window, spec.causal, spec.scale,
                    spec.softcap, spec.max_alibi_bias);
}

std::uint64_t ComputeDevice::block_work(const AttentionSpec& spec, int n_rows) const {
  return static_cast<std::uint64_t>(n_rows) * static_cast<std::uint64_t>(spec.n_head) *
         static_cast<std::uint64_t>(step_.longest()) *
         static_cast<std::uint64_t>(spec.head_dim_k + spec.head_dim_v);
}

void ComputeDevice::attend_block(Tensor out, Tensor q, const PieceKvCache& kv,
                                 const AttentionSpec& spec, int first, int n_rows) {
  if (attend_in_fragments(out, q, kv, spec, first, n_rows)) return;
  const auto il = static_cast<std::size_t>(spec.layer);
  const auto type = static_cast<std::uint32_t>(kv.shape().type);
  const auto dim_k = static_cast<std::uint32_t>(spec.head_dim_k);
  const BlockSize block =
      block_size(spec, tuning_.attention_lanes, gpu_.limits().maxComputeSharedMemorySize);
  run({.verb = "attention",
       .module = "attn_block",
       .constants = {tuning_.attention_lanes, type, dim_k,
                     static_cast<std::uint32_t>(spec.head_dim_v), block.rows, block.keys},
       .bindings = {bind(q), bind(kv.layers[il].k), bind(kv.layers[il].v), bind(out),
                    bind(step_buffer_)},
       .push = block_push(out, q, kv, spec, first, n_rows),
       .grid = {static_cast<std::uint32_t>(spec.n_head),
                static_cast<std::uint32_t>(
                    groups_for(static_cast<std::uint64_t>(n_rows), block.rows)),
                1},
       .work = block_work(spec, n_rows)});
}

}  // namespace hearth::vulkan
