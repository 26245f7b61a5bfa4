// The KV cache's verbs.
#include <algorithm>
#include <bit>

#include "engine/device/vulkan/verbs.h"

namespace hearth::vulkan {
namespace {

/// Runs of fewer rows than this go through attn_split, which shares the keys of a row out over
/// workgroups.
constexpr int kFewRows = 4;

/// Keys of a chunk at least, and chunks of a row at most, in attn_split.
constexpr int kLeastChunk = 64;
constexpr int kMostChunks = 16;

/// Rows and keys of a block of attn_block, so that its shared memory suffices.
struct BlockSize {
  std::uint32_t rows = 8;
  std::uint32_t keys = 16;
};

BlockSize block_size(std::uint32_t dim_k, std::uint32_t shared_bytes) {
  BlockSize size;
  const auto floats = [&] {
    return size.rows * dim_k + size.keys * (dim_k + 1) + size.rows * size.keys + 3 * size.rows;
  };
  while (4 * floats() > shared_bytes && size.keys > 1) {
    size.keys /= 2;
    size.rows = std::max(size.rows / 2, 1U);
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
  const std::uint64_t read = groups_for(keys * dim_k, lanes);
  const std::uint64_t score = groups_for(rows * keys, lanes) * (dim_k + 1);
  const std::uint64_t weigh = groups_for(rows, lanes) * (2 * keys + 1);
  const std::uint64_t sum = groups_for(dim_v, lanes) * (keys + 1) * (rows + 1);
  return groups_for(static_cast<std::uint64_t>(reach), keys) * (1 + read + score + weigh + sum);
}

}  // namespace

void ComputeDevice::kv_store(KvCache& cache, int layer, Tensor k, Tensor v) {
  const auto& kv = static_cast<const PieceKvCache&>(cache);
  HEARTH_CHECK(k.rows == step_.n_tokens() && v.rows == step_.n_tokens());
  const auto il = static_cast<std::size_t>(layer);
  const KvShape::Layer& columns = kv.shape().layers[il];
  HEARTH_CHECK(step_.longest() <= kv.shape().n_ctx);
  const QuantType type = kv.shape().type;
  bool is_independent = false;
  for (const auto& [x, piece, n] : {std::tuple{k, kv.layers[il].k, columns.k_columns},
                                    std::tuple{v, kv.layers[il].v, columns.v_columns}}) {
    HEARTH_CHECK(x.columns == n);
    const std::uint64_t words = static_cast<std::uint64_t>(x.rows) *
                                kv_row_words(type, n / columns.n_head_kv) *
                                static_cast<std::uint64_t>(columns.n_head_kv);
    run({.verb = "kv_store",
         .module = "kv_store",
         .constants = {tuning_.plain_lanes, static_cast<std::uint32_t>(type)},
         .bindings = {bind(x), bind(piece), bind(step_buffer_)},
         .push = push_words(x.rows, columns.n_head_kv, n / columns.n_head_kv, kv.shape().n_ctx,
                            x.offset, x.stride),
         .groups = groups_for(words, tuning_.plain_lanes),
         .is_independent = is_independent});
    is_independent = true;
  }
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
  const BlockSize block = block_size(static_cast<std::uint32_t>(spec.head_dim_k),
                                     gpu_.limits().maxComputeSharedMemorySize);
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

void ComputeDevice::attend_split(Tensor out, Tensor q, const PieceKvCache& kv,
                                 const AttentionSpec& spec, int first, int n_rows) {
  const auto il = static_cast<std::size_t>(spec.layer);
  const auto type = static_cast<std::uint32_t>(kv.shape().type);
  // The number of chunks stays the same while the context grows to the next power of two: so does
  // what is recorded.
  const int reach = static_cast<int>(std::bit_ceil(static_cast<unsigned>(step_.longest())));
  const int chunk = std::max(kLeastChunk, reach / kMostChunks);
  const int n_chunks = (reach + chunk - 1) / chunk;
  const std::uint64_t row_bytes_here = sizeof(float) * static_cast<std::uint64_t>(spec.n_head) *
                                       static_cast<std::uint64_t>(n_chunks) *
                                       static_cast<std::uint64_t>(spec.head_dim_v + 2);
  const std::uint64_t room = std::min<std::uint64_t>(options_.partial_bytes / row_bytes_here,
                                                     gpu_.limits().maxComputeWorkGroupCount[2]);
  const auto at_once = static_cast<int>(std::min<std::uint64_t>(room, 1U << 16));
  HEARTH_CHECK(at_once > 0);
  const auto heads = static_cast<std::uint32_t>(spec.n_head);
  for (int done = 0; done < n_rows; done += at_once) {
    const auto rows = static_cast<std::uint32_t>(std::min(at_once, n_rows - done));
    run({.verb = "attention",
         .module = "attn_split",
         .constants = {tuning_.attention_lanes, type, static_cast<std::uint32_t>(spec.head_dim_k),
                       static_cast<std::uint32_t>(spec.head_dim_v)},
         .bindings = {bind(q), bind(kv.layers[il].k), bind(kv.layers[il].v), bind(partial_),
                      bind(step_buffer_)},
         .push = push_words(first + done, spec.n_head, spec.n_head_kv, kv.shape().n_ctx, q.offset,
                            q.stride, chunk, n_chunks, spec.window, spec.causal, spec.scale,
                            spec.softcap, spec.max_alibi_bias),
         .grid = {heads, static_cast<std::uint32_t>(n_chunks), rows}});
    run({.verb = "attention",
         .module = "attn_merge",
         .constants = {tuning_.attention_lanes},
         .bindings = {bind(partial_), bind(out), bind(step_buffer_)},
         .push = push_words(first + done, spec.n_head, spec.head_dim_v, out.offset, out.stride,
                            chunk, n_chunks, spec.window, spec.causal),
         .grid = {heads, 1, rows}});
  }
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
  const BlockSize block = block_size(dim_k, gpu_.limits().maxComputeSharedMemorySize);
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
