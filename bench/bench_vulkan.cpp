// How fast each shader is on a Vulkan device: those that read weights for each weight type, those
// that read keys and values for each of their types: bench_vulkan [DEVICE], an index, name or UUID.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/device/vulkan/vulkan.h"

namespace hearth {
namespace {

constexpr int kAtOnce = 16;  // ops that are sent together, so that sending them costs little

/// How large the inputs are. A software device gets small ones: it is measured to see that this
/// program works.
struct Sizes {
  int width = 8192;  // of rows; a matrix is a square of this
  int prompt = 512;
  int depth = 4096;
  int n_vocab = 151936;
};

constexpr Sizes kSmallSizes = {.width = 256, .prompt = 16, .depth = 128, .n_vocab = 1000};

/// What an op is measured on; all of zeros, which changes no time.
class Inputs {
 public:
  explicit Inputs(VulkanDevice& device) : device_(device) {}

  VulkanDevice& device() { return device_; }

  Tensor rows(int n, int columns) {
    buffers_.push_back(
        device_.allocate(static_cast<std::size_t>(n) * static_cast<std::size_t>(columns)));
    return {.buffer = buffers_.back().get(),
            .rows = n,
            .columns = columns,
            .stride = columns,
            .name = "x"};
  }

  /// One for all benchmarks of the type: what is loaded stays on the device.
  const Matrix& matrix(QuantType type, int width) {
    std::unique_ptr<Matrix>& matrix = matrices_[type];
    if (matrix) return *matrix;
    const auto n = static_cast<std::size_t>(width);
    const std::vector<std::byte> zeros(n * row_bytes(quant_type_info(type), n));
    matrix =
        device_.load({.name = "w", .type = type, .rows = width, .columns = width, .data = zeros});
    return *matrix;
  }

  KvCache& cache(const KvShape& shape) {
    caches_.push_back(device_.make_kv_cache(shape));
    return *caches_.back();
  }

 private:
  VulkanDevice& device_;
  std::vector<std::unique_ptr<Buffer>> buffers_;
  std::map<QuantType, std::unique_ptr<Matrix>> matrices_;
  std::vector<std::unique_ptr<KvCache>> caches_;
};

/// An op on its inputs, and what it must read and compute at least.
struct Op {
  std::function<void(VulkanDevice&)> run;
  Step step = Step(0, 1);
  double bytes = 0;
  double flops = 0;
};

using MakeOp = std::function<Op(Inputs&)>;

/// Sends the op again and again, and waits by reading a number back.
void measure(benchmark::State& state, Inputs& inputs, const Op& op, Tensor probe) {
  std::vector<float> one(1);
  const auto pass = [&] {
    inputs.device().begin(op.step);
    for (int i = 0; i < kAtOnce; ++i) op.run(inputs.device());
    inputs.device().download(one, probe);
  };
  pass();  // compiles the shader, and records what the next ones replay
  for (auto _ : state) pass();
  const double times = static_cast<double>(state.iterations()) * kAtOnce;
  const auto per_second = [&](double n) {
    return benchmark::Counter(times * n, benchmark::Counter::kIsRate);
  };
  state.counters["bytes"] = per_second(op.bytes);
  if (op.flops > 0) state.counters["flops"] = per_second(op.flops);
  state.counters["seconds_each"] =
      benchmark::Counter(times, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

class Bench {
 public:
  Bench(VulkanDevice& device, const Sizes& sizes) : inputs_(device), sizes_(sizes) {
    probe_ = inputs_.rows(1, 1);
  }

  void add_all() {
    benchmark::RegisterBenchmark("copy", [this](benchmark::State& state) {
      double bytes_per_second = 0.0;
      for (auto _ : state) bytes_per_second = inputs_.device().copy_bandwidth();
      state.counters["bytes"] = bytes_per_second;
    });
    for (const QuantTypeInfo& type : all_quant_types()) {
      if (type.is_weight) add_matrix_verbs(type);
    }
    for (const int n : {1, sizes_.prompt}) add_row_verbs(n);
    for (const QuantType type : {QuantType::F32, QuantType::F16, QuantType::Q8_0})
      add_attention(type);
    add_argmax();
  }

 private:
  void add(const std::string& name, MakeOp make) {
    // The inputs are made when the benchmark is first run: one that is not asked for takes nothing.
    const auto op = std::make_shared<std::unique_ptr<Op>>();
    benchmark::RegisterBenchmark(name.c_str(), [this, op, make](benchmark::State& state) {
      if (!*op) *op = std::make_unique<Op>(make(inputs_));
      measure(state, inputs_, **op, probe_);
    })->UseRealTime();
  }

  void add_matrix_verbs(const QuantTypeInfo& info) {
    const int width = sizes_.width;
    const QuantType type = info.type;
    const auto row = static_cast<double>(row_bytes(info, static_cast<std::size_t>(sizes_.width)));
    for (const int n : {1, 4, sizes_.prompt}) {
      add(fmt::format("matmul/{}/rows:{}", info.name, n), [=](Inputs& in) {
        const Matrix& w = in.matrix(type, width);
        const Tensor x = in.rows(n, width);
        const Tensor out = in.rows(n, width);
        return Op{.run = [=, &w](VulkanDevice& device) { device.matmul(out, w, x); },
                  .step = Step(0, n),
                  .bytes = row * width,
                  .flops = 2.0 * width * width * n};
      });
    }
    add(fmt::format("get_rows/{}/rows:{}", info.name, sizes_.prompt), [=, this](Inputs& in) {
      const Matrix& table = in.matrix(type, width);
      const Tensor out = in.rows(sizes_.prompt, width);
      const std::vector<std::int32_t> ids(static_cast<std::size_t>(sizes_.prompt), 7);
      return Op{.run = [=, &table](VulkanDevice& device) { device.get_rows(out, table, ids); },
                .step = Step(0, sizes_.prompt),
                .bytes = row * sizes_.prompt};
    });
    constexpr int kExperts = 8;
    constexpr int kUsed = 2;
    add(fmt::format("expert_matmul/{}/rows:1", info.name), [=](Inputs& in) {
      const int height = width / kExperts;
      const Matrix& w = in.matrix(type, width);
      const Tensor x = in.rows(1, width);
      const Tensor chosen = in.rows(1, kUsed);
      const Tensor out = in.rows(kUsed, height);
      return Op{.run = [=, &w](VulkanDevice& device) { device.expert_matmul(out, w, x, chosen); },
                .bytes = row * height * kUsed,
                .flops = 2.0 * width * height * kUsed};
    });
  }

  /// Verbs that read n rows and write n rows.
  void add_row_verbs(int n) {
    const int width = sizes_.width;
    using Verb = std::function<void(Device&, Tensor out, Tensor x, Tensor row)>;
    Rope rope{.head_dim = 128};
    rope.frequencies.assign(64, 0.5);
    const std::pair<const char*, Verb> verbs[] = {
        {"rms_norm",
         [](Device& d, Tensor out, Tensor x, Tensor w) { d.rms_norm(out, x, w, 1e-5F); }},
        {"layer_norm",
         [](Device& d, Tensor out, Tensor x, Tensor w) { d.layer_norm(out, x, w, w, 1e-5F); }},
        {"rope", [rope](Device& d, Tensor out, Tensor, Tensor) { d.rope(out, rope); }},
        {"glu",
         [](Device& d, Tensor out, Tensor x, Tensor) { d.glu(out, x, x, Activation::silu); }},
        {"activation", [](Device& d, Tensor out, Tensor x,
                          Tensor) { d.activation(out, x, Activation::gelu_erf); }},
        {"add", [](Device& d, Tensor out, Tensor x, Tensor) { d.add(out, out, x); }},
        {"scale", [](Device& d, Tensor out, Tensor x, Tensor) { d.scale(out, x, 0.5F); }},
        {"softcap", [](Device& d, Tensor out, Tensor x, Tensor) { d.softcap(out, x, 30.0F); }}};
    for (const auto& [name, verb] : verbs) {
      add(fmt::format("{}/rows:{}", name, n), [=](Inputs& in) {
        const Tensor x = in.rows(n, width);
        const Tensor out = in.rows(n, width);
        const Tensor weight = in.rows(1, width);
        return Op{.run = [=](VulkanDevice& device) { verb(device, out, x, weight); },
                  .step = Step(0, n),
                  .bytes = 8.0 * n * width};
      });
    }
    constexpr int kUsed = 8;
    add(fmt::format("route/rows:{}", n), [=](Inputs& in) {
      const Tensor scores = in.rows(n, 128);
      const Tensor chosen = in.rows(n, kUsed);
      const Tensor weights = in.rows(n, kUsed);
      return Op{.run =
                    [=](VulkanDevice& device) {
                      device.route(chosen, weights, scores, {.n_used = kUsed});
                    },
                .step = Step(0, n),
                .bytes = 4.0 * n * 128};
    });
    add(fmt::format("expert_sum/rows:{}", n), [=](Inputs& in) {
      const Tensor x = in.rows(n * kUsed, width);
      const Tensor weights = in.rows(n, kUsed);
      const Tensor out = in.rows(n, width);
      return Op{.run = [=](VulkanDevice& device) { device.expert_sum(out, x, weights); },
                .step = Step(0, n),
                .bytes = 4.0 * n * kUsed * width};
    });
  }

  /// 32 heads of 128 on 8: a step after `depth` tokens, and a prompt.
  void add_attention(QuantType type) {
    constexpr int kHeads = 32;
    constexpr int kKvHeads = 8;
    constexpr int kDim = 128;
    const std::string_view name = quant_type_info(type).name;
    const KvShape shape = {.n_ctx = sizes_.depth + sizes_.prompt,
                           .type = type,
                           .layers = {{kKvHeads * kDim, kKvHeads * kDim, kKvHeads}}};
    const double position = static_cast<double>(shape.bytes()) / shape.n_ctx;
    for (const Step& step : {Step(sizes_.depth, 1), Step(0, sizes_.prompt)}) {
      const int n = step.n_tokens();
      const std::string where = fmt::format("rows:{}/past:{}", n, step.longest() - n);
      add(fmt::format("attention/{}/{}", name, where), [=](Inputs& in) {
        const KvCache& cache = in.cache(shape);
        const Tensor q = in.rows(n, kHeads * kDim);
        const Tensor out = in.rows(n, kHeads * kDim);
        const AttentionSpec spec = {
            .n_head = kHeads, .n_head_kv = kKvHeads, .head_dim_k = kDim, .head_dim_v = kDim};
        const double pairs = n == 1 ? step.longest() : 0.5 * n * n;
        return Op{
            .run = [=, &cache](VulkanDevice& device) { device.attention(out, q, cache, spec); },
            .step = step,
            .bytes = position * step.longest(),
            .flops = 4.0 * pairs * kHeads * kDim};
      });
      add(fmt::format("kv_store/{}/{}", name, where), [=](Inputs& in) {
        KvCache& cache = in.cache(shape);
        const Tensor k = in.rows(n, kKvHeads * kDim);
        return Op{.run = [=, &cache](VulkanDevice& device) { device.kv_store(cache, 0, k, k); },
                  .step = step,
                  .bytes = position * n};
      });
    }
  }

  void add_argmax() {
    const int n = sizes_.n_vocab;
    add("argmax/rows:1", [=](Inputs& in) {
      const Tensor x = in.rows(1, n);
      return Op{.run = [=](VulkanDevice& device) { device.argmax(x); }, .bytes = 4.0 * n};
    });
  }

  Inputs inputs_;
  Sizes sizes_;
  Tensor probe_;
};

void run(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  const std::unique_ptr<VulkanDevice> device =
      open_vulkan_device({.device = argc > 1 ? argv[1] : ""});
  Bench bench(*device, device->info().is_software ? kSmallSizes : Sizes());
  bench.add_all();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();  // what is registered refers to the device
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
