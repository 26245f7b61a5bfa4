// Attention of the CPU device by heads, depth, tokens, types of keys and values, and threads:
//   bench_attention [--benchmark_filter='F16/.*/depth:4096/.*'] [other options]
// README.md says how to read it.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "bench/harness.h"
#include "engine/device/cpu/cpu_device.h"
#include "kernels/quant_types.h"

namespace hearth {
namespace {

struct Heads {
  std::string_view model;  // that has such heads
  int n_head;
  int n_head_kv;
  int head_dim;
};

constexpr Heads kHeads[] = {{"llama2-7b", 32, 32, 128},
                            {"llama3-8b", 32, 8, 128},
                            {"qwen2.5-1.5b", 12, 2, 128},
                            {"qwen2.5-0.5b", 14, 2, 64},
                            {"gemma3-1b", 4, 1, 256}};

struct Shape {
  Heads heads;
  QuantType type;
  int depth;     // tokens that are there before
  int n_tokens;  // of the step
  int n_threads;
};

/// Rows of a device, with numbers that a softmax neither flattens nor turns into one peak.
struct Rows {
  Rows(Device& device, int n, int columns)
      : buffer(device.allocate(static_cast<std::size_t>(n) * static_cast<std::size_t>(columns))),
        view{.buffer = buffer.get(), .rows = n, .columns = columns, .stride = columns, .name = ""} {
    Random random(4);
    std::vector<float> values(static_cast<std::size_t>(n) * static_cast<std::size_t>(columns));
    for (float& v : values) v = static_cast<float>(2.0 * random.uniform() - 1.0);
    device.upload(view, values);
  }
  std::unique_ptr<Buffer> buffer;
  Tensor view;
};

CpuDevice& device_of(int n_threads) {
  static std::map<int, std::unique_ptr<CpuDevice>> devices;
  auto& found = devices[n_threads];
  if (!found) found = std::make_unique<CpuDevice>(CpuOptions{.n_threads = n_threads});
  return *found;
}

/// A cache of one layer, with `depth` tokens in it.
std::unique_ptr<KvCache> filled_cache(CpuDevice& device, const Shape& shape) {
  const int columns = shape.heads.n_head_kv * shape.heads.head_dim;
  auto cache = device.make_kv_cache(
      {.n_ctx = shape.depth + shape.n_tokens,
       .type = shape.type,
       .layers = {
           {.k_columns = columns, .v_columns = columns, .n_head_kv = shape.heads.n_head_kv}}});
  constexpr int kAtOnce = 512;
  const Rows rows(device, kAtOnce, columns);
  const int n = shape.depth + shape.n_tokens;
  for (int past = 0; past < n; past += kAtOnce) {
    const int here = std::min(kAtOnce, n - past);
    device.begin(Step(past, here));
    device.kv_store(*cache, 0, rows.view.first_rows(here), rows.view.first_rows(here));
  }
  return cache;
}

void run_attention(benchmark::State& state, const Shape& shape) {
  const Heads& heads = shape.heads;
  CpuDevice& device = device_of(shape.n_threads);
  const auto cache = filled_cache(device, shape);
  const Rows q(device, shape.n_tokens, heads.n_head * heads.head_dim);
  const Rows out(device, shape.n_tokens, heads.n_head * heads.head_dim);
  const AttentionSpec spec = {.n_head = heads.n_head,
                              .n_head_kv = heads.n_head_kv,
                              .head_dim_k = heads.head_dim,
                              .head_dim_v = heads.head_dim,
                              .scale = 1.0F / std::sqrt(static_cast<float>(heads.head_dim))};
  device.begin(Step(shape.depth, shape.n_tokens));
  const double seconds =
      bench::seconds_each(state, [&] { device.attention(out.view, q.view, *cache, spec); });

  // The last token sees depth + n_tokens keys, the first n_tokens - 1 fewer.
  const double keys =
      shape.n_tokens * (static_cast<double>(shape.depth) + (shape.n_tokens + 1) / 2.0);
  const Ceilings& most = bench::ceilings(shape.n_threads);
  const double products = keys * heads.n_head * 2 * heads.head_dim;
  const auto all_keys = static_cast<std::size_t>(shape.depth + shape.n_tokens);
  const auto columns = static_cast<std::size_t>(heads.n_head_kv * heads.head_dim);
  bench::count(state, seconds,
               {.operations = 2 * products,
                .ceiling = most.fma,
                .bytes = 2.0 * static_cast<double>(all_keys *
                                                   row_bytes(quant_type_info(shape.type), columns)),
                .read = most.read});
  state.counters["GMAC/s"] = products / seconds / 1e9;
}

void add_all() {
  for (const QuantType type : {QuantType::F16, QuantType::Q8_0, QuantType::F32}) {
    for (const Heads& heads : kHeads) {
      for (const int depth : {0, 512, 4096, 16384}) {
        for (const int n_tokens : {1, 8, 512}) {
          for (const int n_threads : {1, 2}) {
            const Shape shape = {heads, type, depth, n_tokens, n_threads};
            bench::add(fmt::format("{}/{}/{}on{}x{}/depth:{}/M:{}/threads:{}",
                                   quant_type_info(type).name, heads.model, heads.n_head,
                                   heads.n_head_kv, heads.head_dim, depth, n_tokens, n_threads),
                       [shape](benchmark::State& s) { run_attention(s, shape); });
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace hearth

int main(int argc, char** argv) {
  return hearth::bench::run_benchmarks(argc, argv, hearth::add_all);
}
