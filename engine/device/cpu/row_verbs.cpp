// The verbs that work row by row, and attention: kernels/row_kernels.h and kernels/attention.h over
// the rows of a step.
#include <algorithm>
#include <vector>

#include "engine/device/cpu/attention.h"
#include "engine/device/cpu/cpu_device.h"
#include "engine/device/cpu/kv_cache.h"
#include "engine/device/host_buffer.h"

namespace hearth {
namespace {

/// What an element costs, counted in the multiplications of for_items(), which the vectors do some
/// sixteen at a time.
constexpr std::int64_t kElementsPerCost = 16;
constexpr std::int64_t kActivationCost = 2;

std::int64_t row_cost(int columns) {
  return columns / kElementsPerCost + 1;
}

/// Row of group g of a weight that has a row for all groups or one per group.
const float* group_row(const Tensor& weight, int g) {
  return weight ? row_of(weight, weight.rows == 1 ? 0 : g) : nullptr;
}

CpuKvCache& cpu_cache(KvCache& cache) {
  return static_cast<CpuKvCache&>(cache);
}

}  // namespace

void CpuDevice::begin(const Step& step) {
  ReferenceDevice::begin(step);
  rope_tables_.clear();
}

void CpuDevice::for_rows(int n_rows, std::int64_t cost, const std::function<void(int)>& row) {
  for_items(n_rows, cost, [&](std::int64_t first, std::int64_t last) {
    for (auto t = static_cast<int>(first); t < static_cast<int>(last); ++t) row(t);
  });
}

void CpuDevice::rms_norm(Tensor out, Tensor x, Tensor weight, float eps) {
  const int groups = group_count(x, weight);
  const int n = weight.columns;
  for_rows(x.rows, row_cost(x.columns), [&](int t) {
    for (int g = 0; g < groups; ++g) {
      kernels_.rows.rms_norm(row_of(x, t) + g * n, group_row(weight, g),
                             static_cast<std::size_t>(n), eps, row_of(out, t) + g * n);
    }
  });
}

void CpuDevice::layer_norm(Tensor out, Tensor x, Tensor weight, Tensor bias, float eps) {
  const int groups = group_count(x, weight);
  const int n = weight.columns;
  for_rows(x.rows, row_cost(x.columns), [&](int t) {
    for (int g = 0; g < groups; ++g) {
      kernels_.rows.layer_norm(row_of(x, t) + g * n, group_row(weight, g), group_row(bias, g),
                               static_cast<std::size_t>(n), eps, row_of(out, t) + g * n);
    }
  });
}

const RopeTable& CpuDevice::rope_table(const Rope& rope, int n_rows) {
  for (const RopeTable& table : rope_tables_) {
    if (table.is_of(rope)) return table;
  }
  constexpr std::int64_t kTurnCost = 64;
  RopeTable& table = rope_tables_.emplace_back(rope, n_rows);
  for_rows(n_rows, kTurnCost * static_cast<std::int64_t>(rope.frequencies.size()),
           [&](int t) { table.fill(t, step().row(t).position); });
  return table;
}

void CpuDevice::rope(Tensor x, const Rope& rope) {
  const std::size_t n_pairs = rope.frequencies.size();
  const auto head_dim = static_cast<std::size_t>(rope.head_dim);
  HEARTH_CHECK(x.columns % rope.head_dim == 0 && 2 * n_pairs <= head_dim);
  HEARTH_CHECK(x.rows == step().n_tokens());
  const RopeTable& table = rope_table(rope, x.rows);
  const kernels::Rope turn = rope.pairing == RopePairing::halves ? kernels_.rows.rope_halves
                                                                 : kernels_.rows.rope_interleaved;
  for_rows(x.rows, row_cost(x.columns), [&](int t) {
    turn(row_of(x, t), static_cast<std::size_t>(x.columns) / head_dim, head_dim, table.cosines(t),
         table.sines(t), n_pairs);
  });
}

std::unique_ptr<KvCache> CpuDevice::make_kv_cache(const KvShape& shape) {
  return std::make_unique<CpuKvCache>(shape);
}

// Tokens of a tile together: each line of its keys has an element of all of them.
void CpuDevice::kv_store(KvCache& cache, int layer, Tensor k, Tensor v) {
  HEARTH_CHECK(k.rows == step().n_tokens());
  struct Run {
    int first;
    int n;
  };
  std::vector<Run> runs;
  int first_token = 0;
  for (const StepRun& run : step().runs()) {
    for (int t = 0; t < run.n_tokens;) {
      const int in_tile = (run.n_past + t) % kernels::kTileKeys;
      const int n = std::min(run.n_tokens - t, kernels::kTileKeys - in_tile);
      runs.push_back({first_token + t, n});
      t += n;
    }
    first_token += run.n_tokens;
  }
  const std::int64_t cost = k.rows * (k.columns + v.columns);
  const auto n_runs = static_cast<std::int64_t>(runs.size());
  for_items(n_runs, cost / n_runs, [&](std::int64_t begin, std::int64_t end) {
    for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
      const Step::Row& row = step().row(runs[i].first);
      cpu_cache(cache).store(kernels_, layer, row.slot, row.position, k, v, runs[i].first,
                             runs[i].n);
    }
  });
}

void CpuDevice::attention(Tensor out, Tensor q, const KvCache& cache, const AttentionSpec& spec) {
  attend(out, q, static_cast<const CpuKvCache&>(cache), spec, step(), kernels_, pool_,
         least_shared_);
}

void CpuDevice::glu(Tensor out, Tensor gate, Tensor up, Activation activation) {
  const kernels::Glu kernel = kernels_.rows.glu[static_cast<int>(activation)];
  for_rows(out.rows, kActivationCost * row_cost(out.columns), [&](int t) {
    kernel(row_of(gate, t), row_of(up, t), static_cast<std::size_t>(out.columns), row_of(out, t));
  });
}

void CpuDevice::activation(Tensor out, Tensor x, Activation activation) {
  const kernels::Activate kernel = kernels_.rows.activate[static_cast<int>(activation)];
  for_rows(out.rows, kActivationCost * row_cost(out.columns), [&](int t) {
    kernel(row_of(x, t), static_cast<std::size_t>(out.columns), row_of(out, t));
  });
}

void CpuDevice::add(Tensor out, Tensor a, Tensor b) {
  HEARTH_CHECK(out.columns == a.columns && out.columns == b.columns);
  HEARTH_CHECK(b.rows == out.rows || b.rows == 1);
  for_rows(out.rows, row_cost(out.columns), [&](int t) {
    kernels_.rows.add(row_of(a, t), row_of(b, b.rows == 1 ? 0 : t),
                      static_cast<std::size_t>(out.columns), row_of(out, t));
  });
}

void CpuDevice::scale(Tensor out, Tensor x, float factor) {
  for_rows(out.rows, row_cost(out.columns), [&](int t) {
    kernels_.rows.scale(row_of(x, t), factor, static_cast<std::size_t>(out.columns),
                        row_of(out, t));
  });
}

void CpuDevice::softcap(Tensor out, Tensor x, float cap) {
  for_rows(out.rows, kActivationCost * row_cost(out.columns), [&](int t) {
    kernels_.rows.softcap(row_of(x, t), cap, static_cast<std::size_t>(out.columns), row_of(out, t));
  });
}

}  // namespace hearth
