// How fast each shader that reads weights is on a Vulkan device, for each weight type: bench_vulkan
// [DEVICE], an index, name or UUID.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/device/vulkan/vulkan.h"

namespace hearth {
namespace {

constexpr int kAtOnce = 16;  // products that are sent together, so that sending them costs little

/// A square matrix of zero bytes: what they stand for does not change the time.
struct Weights {
  Weights(Device& device, QuantType type, int n)
      : data(static_cast<std::size_t>(n) *
             row_bytes(quant_type_info(type), static_cast<std::size_t>(n))),
        matrix(device.load({.name = "w", .type = type, .rows = n, .columns = n, .data = data})) {}

  std::vector<std::byte> data;
  std::unique_ptr<Matrix> matrix;
};

struct Rows {
  Rows(Device& device, int rows, int columns)
      : buffer(device.allocate(static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns))),
        view{.buffer = buffer.get(),
             .rows = rows,
             .columns = columns,
             .stride = columns,
             .name = "x"} {}

  std::unique_ptr<Buffer> buffer;
  Tensor view;
};

void multiply(benchmark::State& state, const VulkanOptions& options, QuantType type) {
  const auto n = static_cast<int>(state.range(0));
  const auto n_rows = static_cast<int>(state.range(1));
  const std::unique_ptr<VulkanDevice> device = open_vulkan_device(options);
  const Weights w(*device, type, n);
  const Rows x(*device, n_rows, n);
  const Rows out(*device, n_rows, n);
  std::vector<float> one(1);
  const Tensor first = out.view.first_rows(1).column_range(0, 1, "first");
  for (auto _ : state) {
    for (int i = 0; i < kAtOnce; ++i) device->matmul(out.view, *w.matrix, x.view);
    device->download(one, first);
  }
  const double times = static_cast<double>(state.iterations()) * kAtOnce;
  const double elements = static_cast<double>(n) * n;
  state.counters["weights_bytes"] =
      benchmark::Counter(times * static_cast<double>(w.data.size()), benchmark::Counter::kIsRate);
  state.counters["flops"] =
      benchmark::Counter(2.0 * times * elements * n_rows, benchmark::Counter::kIsRate);
}

void copy(benchmark::State& state, const VulkanOptions& options) {
  const std::unique_ptr<VulkanDevice> device = open_vulkan_device(options);
  double bytes_per_second = 0.0;
  for (auto _ : state) bytes_per_second = device->copy_bandwidth();
  state.counters["bytes"] = bytes_per_second;
}

void run(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  const VulkanOptions options{.device = argc > 1 ? argv[1] : ""};
  const VulkanListing listing = list_vulkan_devices();
  const VulkanDeviceInfo& info = choose_vulkan_device(listing, options.device);
  const std::int64_t n = info.is_software ? 512 : 8192;
  benchmark::RegisterBenchmark("copy",
                               [options](benchmark::State& state) { copy(state, options); });
  for (const QuantTypeInfo& type : all_quant_types()) {
    if (!type.is_weight) continue;
    const auto body = [options, type](benchmark::State& state) {
      multiply(state, options, type.type);
    };
    benchmark::RegisterBenchmark(std::string(type.name).c_str(), body)
        ->ArgNames({"n", "rows"})
        ->ArgsProduct({{n}, {1, 4, 512}})
        ->UseRealTime();
  }
  benchmark::RunSpecifiedBenchmarks();
}

}  // namespace
}  // namespace hearth

int main(int argc, char** argv) {
  try {
    hearth::run(argc, argv);
    return 0;
  } catch (const hearth::Error& error) {
    fmt::print(stderr, "bench_vulkan: {}\n", error.what());
    return 1;
  }
}
