#include "engine/device/cpu/attention.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <vector>

#include "engine/device/host_buffer.h"
#include "engine/device/math.h"
#include "kernels/attention.h"
#include "kernels/strips.h"

namespace hearth {
namespace {

using kernels::AttentionKernels;
using kernels::AttentionRow;
using kernels::AttentionTile;
using kernels::kStripColumns;

/// Tiles that a thread takes through the keys together, so that a chunk of keys and values comes
/// from memory once for all of them.
constexpr int kMostTilesAtOnce = 8;
/// With fewer tiles per thread than this, threads also share out the chunks of a tile.
constexpr int kTilesPerThread = 4;

/// What is the same for all tiles.
struct Job {
  Tensor out;
  Tensor q;
  const CpuKvCache& cache;
  const AttentionSpec& spec;
  const Step& step;
  const AttentionKernels& kernels;
  kernels::FillStrip pack;  // queries side by side: as columns of floats are

  int group() const { return spec.n_head / spec.n_head_kv; }
  std::size_t state_floats() const { return kernels::state_floats(spec.head_dim_v); }
  kernels::AttendChunk attend() const { return kernels.attend(cache.shape().type); }
};

/// Query rows that go through the keys together: heads of one KV head, of tokens that follow each
/// other. Row i of a KV head is head i % group of token i / group of a run.
static_assert(RelativeBias::kPastTheEnd >= kernels::kBlockKeys);

struct TilePlan {
  int first_token = 0;  // row of the step
  int head_kv = 0;
  int first_row = 0;
  int n_rows = 0;
  int first_chunk = 0;
  int end_chunk = 0;
};

AttentionRow plan_row(const Job& job, const TilePlan& plan, int i) {
  const int token = plan.first_token + (plan.first_row + i) / job.group();
  const int head = plan.head_kv * job.group() + (plan.first_row + i) % job.group();
  const AttentionSpec& spec = job.spec;
  const Step::Row& row = job.step.row(token);
  AttentionRow planned{.first = 0, .last = row.end, .position = row.position};
  if (spec.causal) {
    planned.first = spec.window > 0 ? std::max(0, row.position - spec.window + 1) : 0;
    planned.last = row.position + 1;
  }
  if (spec.max_alibi_bias > 0.0F) {
    planned.slope = static_cast<float>(alibi_slope(head, spec.n_head, spec.max_alibi_bias));
  }
  if (spec.relative_bias) planned.bias = spec.relative_bias->of_head(head);
  return planned;
}

/// A tile that is ready to be attended: its queries packed, its rows known.
class PreparedTile {
 public:
  void prepare(const Job& job, const TilePlan& plan) {
    plan_ = plan;
    const AttentionSpec& spec = job.spec;
    const float* queries[kStripColumns];
    for (int i = 0; i < plan.n_rows; ++i) {
      rows_[i] = plan_row(job, plan, i);
      queries[i] = row_of(job.q, token(job, i)) + head(job, i) * spec.head_dim_k;
    }
    const int width = kernels::padded_width(plan.n_rows);
    const auto dim = static_cast<std::size_t>(spec.head_dim_k);
    packed_.resize(dim * static_cast<std::size_t>(width));
    job.pack({.kind = kernels::StripKind::f32,
              .width = width,
              .n_columns = plan.n_rows,
              .length = dim,
              .floats = packed_.data()},
             queries);
    tile_ = {.n_rows = plan.n_rows,
             .q = packed_.data(),
             .rows = rows_,
             .head_dim_k = spec.head_dim_k,
             .head_dim_v = spec.head_dim_v,
             .scale = spec.scale,
             .softcap = spec.softcap};
  }

  const TilePlan& plan() const { return plan_; }

  /// states [n_rows] = those of a chunk.
  void attend(const Job& job, int chunk, float* states) {
    const int slot = job.step.row(plan_.first_token).slot;
    const CpuKvCache::Chunk place = job.cache.chunk(job.spec.layer, slot, plan_.head_kv, chunk);
    tile_.keys = place.keys;
    tile_.values = place.values;
    tile_.first_key = chunk * kernels::kChunkKeys;
    job.attend()(tile_, chunk, states);
  }

  /// Takes a chunk's states [n_rows] into the totals [n_rows].
  void merge(const Job& job, const float* states, float* totals) const {
    const std::size_t n = job.state_floats();
    for (std::size_t i = 0; i < static_cast<std::size_t>(plan_.n_rows); ++i) {
      job.kernels.merge(totals + i * n, states + i * n, job.spec.head_dim_v);
    }
  }

  /// Writes the rows' results.
  void finish(const Job& job, const float* totals) const {
    const int dim = job.spec.head_dim_v;
    for (int i = 0; i < plan_.n_rows; ++i) {
      job.kernels.finish(totals + static_cast<std::size_t>(i) * job.state_floats(), dim,
                         row_of(job.out, token(job, i)) + head(job, i) * dim);
    }
  }

 private:
  int token(const Job& job, int i) const {
    return plan_.first_token + (plan_.first_row + i) / job.group();
  }
  int head(const Job& job, int i) const {
    return plan_.head_kv * job.group() + (plan_.first_row + i) % job.group();
  }

  TilePlan plan_;
  AttentionTile tile_;
  AttentionRow rows_[kStripColumns];
  std::vector<float> packed_;  // [head_dim_k][padded_width(n_rows)]
};

/// What a thread needs for the tiles that it has in hand, kept between calls.
struct Workspace {
  PreparedTile tiles[kMostTilesAtOnce];
  std::vector<float> states;  // of one tile and chunk
  std::vector<float> totals;  // of each tile
};

Workspace& workspace() {
  thread_local Workspace space;
  return space;
}

std::vector<TilePlan> plan_tiles(const Job& job) {
  std::vector<TilePlan> plans;
  const int most_rows = job.kernels.most_rows;
  int first_token = 0;
  for (const StepRun& run : job.step.runs()) {
    for (int head_kv = 0; head_kv < job.spec.n_head_kv; ++head_kv) {
      const int n_rows = run.n_tokens * job.group();
      for (int first = 0; first < n_rows; first += most_rows) {
        TilePlan plan{.first_token = first_token,
                      .head_kv = head_kv,
                      .first_row = first,
                      .n_rows = std::min(most_rows, n_rows - first)};
        // Positions grow along a tile, and with them both ends of what is seen.
        plan.first_chunk = plan_row(job, plan, 0).first / kernels::kChunkKeys;
        plan.end_chunk = (plan_row(job, plan, plan.n_rows - 1).last - 1) / kernels::kChunkKeys + 1;
        plans.push_back(plan);
      }
    }
    first_token += run.n_tokens;
  }
  return plans;
}

bool share_keys(const TilePlan& a, const TilePlan& b) {
  return a.first_token == b.first_token && a.head_kv == b.head_kv;
}

/// Tiles [first, last) of the same keys, chunk by chunk.
void attend_tiles(const Job& job, const std::vector<TilePlan>& plans, std::size_t first,
                  std::size_t last) {
  Workspace& space = workspace();
  const std::size_t tile_floats = kStripColumns * job.state_floats();
  space.states.resize(tile_floats);
  space.totals.resize(tile_floats * (last - first));
  int first_chunk = plans[first].first_chunk;
  int end_chunk = 0;
  for (std::size_t t = first; t < last; ++t) {
    space.tiles[t - first].prepare(job, plans[t]);
    first_chunk = std::min(first_chunk, plans[t].first_chunk);
    end_chunk = std::max(end_chunk, plans[t].end_chunk);
  }
  for (int chunk = first_chunk; chunk < end_chunk; ++chunk) {
    for (std::size_t t = 0; t < last - first; ++t) {
      PreparedTile& tile = space.tiles[t];
      if (chunk < tile.plan().first_chunk || chunk >= tile.plan().end_chunk) continue;
      float* totals = space.totals.data() + t * tile_floats;
      if (chunk == tile.plan().first_chunk) {
        tile.attend(job, chunk, totals);
        continue;
      }
      tile.attend(job, chunk, space.states.data());
      tile.merge(job, space.states.data(), totals);
    }
  }
  for (std::size_t t = 0; t < last - first; ++t) {
    space.tiles[t].finish(job, space.totals.data() + t * tile_floats);
  }
}

/// Many tiles: each thread takes some through all their keys, those with the most keys first.
void attend_by_tiles(const Job& job, const std::vector<TilePlan>& plans, std::size_t at_once,
                     ThreadPool* pool) {
  struct Group {
    std::size_t first, last;
    std::int64_t cost;
  };
  std::vector<Group> groups;
  for (std::size_t first = 0; first < plans.size();) {
    std::size_t last = first;
    std::int64_t cost = 0;
    while (last < plans.size() && last - first < at_once && share_keys(plans[first], plans[last])) {
      cost += plans[last].end_chunk - plans[last].first_chunk;
      ++last;
    }
    groups.push_back({first, last, cost});
    first = last;
  }
  std::stable_sort(groups.begin(), groups.end(),
                   [](const Group& a, const Group& b) { return a.cost > b.cost; });
  const auto item = [&](std::int64_t i) {
    const Group& group = groups[static_cast<std::size_t>(i)];
    attend_tiles(job, plans, group.first, group.last);
  };
  const auto n = static_cast<std::int64_t>(groups.size());
  if (pool) {
    pool->run_one_by_one(n, item);
  } else {
    for (std::int64_t i = 0; i < n; ++i) item(i);
  }
}

/// Few tiles: threads share out their chunks, and who finishes a tile's last one merges them.
void attend_by_chunks(const Job& job, const std::vector<TilePlan>& plans, ThreadPool& pool) {
  struct Piece {
    std::size_t tile;
    int chunk;
    std::size_t at;  // of its states
  };
  const std::size_t tile_floats = kStripColumns * job.state_floats();
  std::vector<Piece> pieces;
  std::vector<std::size_t> first_piece;
  for (std::size_t t = 0; t < plans.size(); ++t) {
    first_piece.push_back(pieces.size());
    for (int chunk = plans[t].first_chunk; chunk < plans[t].end_chunk; ++chunk) {
      pieces.push_back({t, chunk, pieces.size() * tile_floats});
    }
  }
  thread_local std::vector<float> caller_states;
  std::vector<float>& states = caller_states;  // one for all threads: the caller's
  states.resize(pieces.size() * tile_floats);
  const auto n_left = std::make_unique<std::atomic<int>[]>(plans.size());
  for (std::size_t t = 0; t < plans.size(); ++t) {
    n_left[t].store(plans[t].end_chunk - plans[t].first_chunk, std::memory_order_relaxed);
  }
  pool.run_one_by_one(static_cast<std::int64_t>(pieces.size()), [&](std::int64_t i) {
    const Piece& piece = pieces[static_cast<std::size_t>(i)];
    const TilePlan& plan = plans[piece.tile];
    Workspace& space = workspace();
    PreparedTile& tile = space.tiles[0];
    tile.prepare(job, plan);
    tile.attend(job, piece.chunk, states.data() + piece.at);
    if (n_left[piece.tile].fetch_sub(1, std::memory_order_acq_rel) > 1) return;
    space.totals.assign(tile_floats, 0.0F);
    const auto n_chunks = static_cast<std::size_t>(plan.end_chunk - plan.first_chunk);
    for (std::size_t c = 0; c < n_chunks; ++c) {
      const std::size_t at = pieces[first_piece[piece.tile] + c].at;
      tile.merge(job, states.data() + at, space.totals.data());
    }
    tile.finish(job, space.totals.data());
  });
}

}  // namespace

void attend(Tensor out, Tensor q, const CpuKvCache& cache, const AttentionSpec& spec,
            const Step& step, const kernels::KernelTable& kernels, ThreadPool& pool,
            std::int64_t least_shared) {
  HEARTH_CHECK(q.rows == step.n_tokens() && out.rows == q.rows);
  HEARTH_CHECK(spec.head_dim_k == cache.head_dim_k(spec.layer) &&
               spec.head_dim_v == cache.head_dim_v(spec.layer));
  const Job job{
      out, q, cache, spec, step, kernels.attention, kernels.fill_strip[kernels::StripKind::f32]};
  const std::vector<TilePlan> plans = plan_tiles(job);
  std::int64_t cost = 0;
  std::int64_t n_chunks = 0;
  for (const TilePlan& plan : plans) {
    n_chunks += plan.end_chunk - plan.first_chunk;
    cost += static_cast<std::int64_t>(plan.n_rows) *
            (plan_row(job, plan, plan.n_rows - 1).last - plan_row(job, plan, 0).first) *
            (spec.head_dim_k + spec.head_dim_v);
  }
  const auto n_tiles = static_cast<std::int64_t>(plans.size());
  const std::int64_t wanted = kTilesPerThread * pool.size();
  const bool shared = pool.size() > 1 && cost >= least_shared;
  if (shared && n_tiles < wanted && n_chunks > n_tiles) {
    attend_by_chunks(job, plans, pool);
    return;
  }
  const auto at_once = std::clamp<std::int64_t>(n_tiles / wanted, 1, kMostTilesAtOnce);
  attend_by_tiles(job, plans, static_cast<std::size_t>(at_once), shared ? &pool : nullptr);
}

}  // namespace hearth
