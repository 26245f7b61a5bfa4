// The matrix kernels one by one, beside what the machine can do, OpenBLAS and memcpy:
//   bench_kernels [--benchmark_filter=Q4_K/.*] [other options of Google Benchmark]
// README.md says how to read it.
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "bench/aligned_memory.h"
#include "bench/blas_sgemm.h"
#include "bench/harness.h"
#include "engine/device/cpu/isa.h"
#include "engine/device/thread_pool.h"
#include "engine/synth/random_tensor.h"
#include "kernels/dispatch.h"
#include "kernels/panels.h"

namespace hearth {
namespace {

using bench::add;
using bench::ceilings;
using bench::count;
using bench::seconds_each;

constexpr std::size_t kFewTokensBytes = std::size_t{192} << 20;  // more than any cache has
constexpr std::size_t kManyTokensRows = 1536;
constexpr int kFewTokens = 12;
constexpr std::size_t kPanelGroupBytes = std::size_t{256} << 10;  // half of a usual L2 cache

/// What a benchmark multiplies: `rows` x `columns` weights with n_tokens columns of activations.
struct Shape {
  QuantType type;
  std::size_t columns;
  int n_tokens;
  int n_threads;

  std::size_t row_size() const { return row_bytes(quant_type_info(type), columns); }

  /// Few tokens: a matrix that comes from memory, as in decoding. Many: one of a usual size.
  std::size_t rows() const {
    if (n_tokens > kFewTokens) return kManyTokensRows;
    return kFewTokensBytes / row_size() / 64 * 64;
  }
};

ThreadPool& pool(int n_threads) {
  static std::map<int, std::unique_ptr<ThreadPool>> pools;
  auto& found = pools[n_threads];
  if (!found) found = std::make_unique<ThreadPool>(n_threads);
  return *found;
}

/// A matrix in the kernel's layout. The last one is kept: benchmarks that follow each other share.
class Panels {
 public:
  Panels(QuantType type, std::size_t rows, std::size_t columns)
      : type_(type),
        columns_(columns),
        rows_(rows),
        lanes_(chosen_kernels().matmul[type].lanes),
        panel_bytes_(kernels::panel_bytes(type, columns, lanes_)),
        memory_(rows / static_cast<std::size_t>(lanes_) * panel_bytes_) {
    RandomTensors random(1);
    const auto step = static_cast<std::size_t>(lanes_);
    const std::size_t row = row_bytes(quant_type_info(type), columns);
    constexpr std::size_t kDistinct = 1024;  // rows; then they repeat
    const std::span<const std::byte> source = random.matrix(type, kDistinct, columns);
    for (std::size_t r = 0; r < rows; r += step) {
      kernels::pack_panel(type, source.data() + r % kDistinct * row, lanes_, columns, lanes_,
                          memory_.data() + r / step * panel_bytes_);
    }
  }

  static const Panels& get(const Shape& shape) {
    static std::unique_ptr<Panels> last;
    if (!last || last->type_ != shape.type || last->columns_ != shape.columns ||
        last->rows_ != shape.rows()) {
      last.reset();
      last = std::make_unique<Panels>(shape.type, shape.rows(), shape.columns);
    }
    return *last;
  }

  std::size_t count() const { return rows_ / static_cast<std::size_t>(lanes_); }
  int lanes() const { return lanes_; }
  std::size_t bytes_each() const { return panel_bytes_; }
  const std::byte* panel(std::size_t i) const { return memory_.data() + i * panel_bytes_; }

 private:
  QuantType type_;
  std::size_t columns_;
  std::size_t rows_;
  int lanes_;
  std::size_t panel_bytes_;
  bench::AlignedMemory memory_;
};

std::vector<float> random_floats(std::size_t n) {
  Random random(2);
  std::vector<float> floats(n);
  for (float& value : floats) value = static_cast<float>(2.0 * random.uniform() - 1.0);
  return floats;
}

/// Activations as strips of as many tokens as the kind has room for.
class Strips {
 public:
  Strips(kernels::StripKind kind, int n_tokens, std::size_t length) {
    const std::vector<float> floats = random_floats(length);
    const int most = kernels::most_columns(kind);
    for (int first = 0; first < n_tokens; first += most) {
      const int n = std::min(n_tokens - first, most);
      memory_.push_back(
          std::make_unique<bench::AlignedMemory>(kernels::strip_bytes(kind, n, length)));
      strips_.push_back(kernels::make_strip(kind, n, length, memory_.back()->data()));
      const std::vector<const float*> columns(static_cast<std::size_t>(n), floats.data());
      chosen_kernels().fill_strip[kind](strips_.back(), columns.data());
    }
  }
  const std::vector<kernels::Strip>& all() const { return strips_; }

 private:
  std::vector<std::unique_ptr<bench::AlignedMemory>> memory_;
  std::vector<kernels::Strip> strips_;
};

/// Panels [first, last) times all strips: as many panels as stay in the cache, strip by strip.
void multiply(const Panels& panels, const Strips& strips, kernels::MultiplyPanels kernel,
              std::size_t first, std::size_t last, std::vector<float>& out, std::size_t n_rows) {
  const auto lanes = static_cast<std::size_t>(panels.lanes());
  const bool is_few = strips.all().size() == 1;
  const std::size_t group =
      is_few ? last - first : std::max<std::size_t>(1, kPanelGroupBytes / panels.bytes_each());
  for (std::size_t p = first; p < last; p += group) {
    const std::size_t n = std::min(group, last - p);
    std::size_t token = 0;
    for (const kernels::Strip& strip : strips.all()) {
      kernel(panels.panel(p), n * lanes, strip,
             {.at = out.data() + token * n_rows + p * lanes, .stride = n_rows});
      token += static_cast<std::size_t>(strip.n_columns);
    }
  }
}

double ceiling_of(QuantType type, const Ceilings& most) {
  if (type == QuantType::BF16) return most.bf16;
  return type == QuantType::F32 || type == QuantType::F16 ? most.fma : most.int8;
}

void run_matmul(benchmark::State& state, const Shape& shape) {
  const kernels::MatmulKernel& kernel = chosen_kernels().matmul_for(shape.type, shape.n_tokens);
  const Panels& panels = Panels::get(shape);
  const Strips strips(kernel.strip, shape.n_tokens, shape.columns);
  std::vector<float> out(shape.rows() * static_cast<std::size_t>(shape.n_tokens));
  ThreadPool& threads = pool(shape.n_threads);
  const double seconds = seconds_each(state, [&] {
    threads.run(static_cast<std::int64_t>(panels.count()),
                [&](std::int64_t first, std::int64_t last) {
                  multiply(panels, strips, kernel.multiply, static_cast<std::size_t>(first),
                           static_cast<std::size_t>(last), out, shape.rows());
                });
  });
  const Ceilings& most = ceilings(shape.n_threads);
  const double weights = static_cast<double>(shape.rows()) * static_cast<double>(shape.columns);
  count(state, seconds,
        {.operations = 2.0 * weights * shape.n_tokens,
         .ceiling = ceiling_of(shape.type, most),
         .bytes = static_cast<double>(shape.rows() * shape.row_size()),
         .read = most.read});
}

void run_sgemm(benchmark::State& state, std::size_t columns, int n_tokens, int n_threads) {
  const std::size_t rows = kManyTokensRows;
  const std::vector<float> weights = random_floats(rows * columns);
  const std::vector<float> x = random_floats(columns * static_cast<std::size_t>(n_tokens));
  std::vector<float> out(rows * static_cast<std::size_t>(n_tokens));
  const double seconds = seconds_each(state, [&] {
    bench::blas_sgemm(weights.data(), static_cast<int>(rows), static_cast<int>(columns), x.data(),
                      n_tokens, out.data(), n_threads);
  });
  const Ceilings& most = ceilings(n_threads);
  const double products = static_cast<double>(rows) * static_cast<double>(columns);
  count(state, seconds,
        {.operations = 2.0 * products * n_tokens,
         .ceiling = most.fma,
         .bytes = 4.0 * products,
         .read = most.read});
}

void run_memcpy(benchmark::State& state, int n_threads) {
  const bench::AlignedMemory from(kFewTokensBytes);
  const bench::AlignedMemory to(kFewTokensBytes);
  constexpr std::int64_t kParts = 64;
  constexpr std::size_t kPart = kFewTokensBytes / kParts;
  const double seconds = seconds_each(state, [&] {
    pool(n_threads).run(kParts, [&](std::int64_t first, std::int64_t last) {
      std::memcpy(to.data() + static_cast<std::size_t>(first) * kPart,
                  from.data() + static_cast<std::size_t>(first) * kPart,
                  static_cast<std::size_t>(last - first) * kPart);
    });
  });
  const Ceilings& most = ceilings(n_threads);
  count(state, seconds,
        {.operations = 0.0,
         .ceiling = most.fma,
         .bytes = 2.0 * static_cast<double>(kFewTokensBytes),
         .read = most.read});
}

/// Rows of a matrix in memory, each to the same floats: a thread's scratch, as in quantising files
/// and multiplying by OpenBLAS. The bytes are those read and written, as memcpy's are.
void run_dequantize(benchmark::State& state, const QuantTypeInfo& info,
                    const kernels::IsaLevel* level, int n_threads) {
  constexpr std::size_t kColumns = 4096;
  constexpr std::size_t kDistinct = 1024;  // rows; then they repeat
  const kernels::DequantizeRow dequantize =
      kernels::make_kernel_table(level).dequantize_row[info.type];
  const std::size_t row = row_bytes(info, kColumns);
  const std::size_t n_rows = kFewTokensBytes / row;
  const bench::AlignedMemory rows(kFewTokensBytes);
  RandomTensors random(1);
  const std::span<const std::byte> source = random.matrix(info.type, kDistinct, kColumns);
  for (std::size_t r = 0; r < n_rows; ++r) {
    std::memcpy(rows.data() + r * row, source.data() + r % kDistinct * row, row);
  }
  const double seconds = seconds_each(state, [&] {
    pool(n_threads).run(
        static_cast<std::int64_t>(n_rows), [&](std::int64_t first, std::int64_t last) {
          alignas(64) float floats[kColumns];
          for (auto r = static_cast<std::size_t>(first); r < static_cast<std::size_t>(last); ++r) {
            dequantize(rows.data() + r * row, floats, kColumns);
            benchmark::DoNotOptimize(floats[0]);
          }
        });
  });
  const Ceilings& most = ceilings(n_threads);
  count(state, seconds,
        {.operations = 0.0,
         .ceiling = most.fma,
         .bytes = static_cast<double>(n_rows * (row + kColumns * sizeof(float))),
         .read = most.read});
}

void add_all() {
  constexpr int kThreads[] = {1, 2};
  constexpr std::size_t kColumns[] = {2048, 4096, 8192, 14336};
  constexpr int kTokens[] = {1, 2, 4, 8, 12, 32, 512};
  for (const int t : kThreads) {
    add(fmt::format("memcpy/threads:{}", t), [t](benchmark::State& s) { run_memcpy(s, t); });
  }
  for (const std::size_t k : kColumns) {
    for (const int t : kThreads) {
      if (!bench::has_blas()) continue;
      add(fmt::format("sgemm/K:{}/M:512/threads:{}", k, t),
          [k, t](benchmark::State& s) { run_sgemm(s, k, 512, t); });
    }
  }
  for (const QuantTypeInfo& info : all_quant_types()) {
    for (const kernels::IsaLevel& level : kernels::all_isa_levels()) {
      if (!info.is_weight || !level.is_supported()) continue;
      for (const int t : kThreads) {
        add(fmt::format("dequantize/{}/{}/threads:{}", info.name, level.name, t),
            [&info, &level, t](benchmark::State& s) { run_dequantize(s, info, &level, t); });
      }
    }
  }
  for (const QuantTypeInfo& info : all_quant_types()) {
    if (!info.is_weight || !chosen_kernels().matmul[info.type].multiply) continue;
    for (const std::size_t k : kColumns) {
      for (const int m : kTokens) {
        for (const int t : kThreads) {
          const Shape shape = {info.type, k, m, t};
          add(fmt::format("{}/K:{}/M:{}/threads:{}", info.name, k, m, t),
              [shape](benchmark::State& s) { run_matmul(s, shape); });
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
