#include "engine/measure/model_bench.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <numeric>

#include "base/random.h"

namespace hearth {
namespace {

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

/// One kind of work, as it comes out round by round.
struct Series {
  Work work;
  double tokens = 0;            // that the work yields
  std::vector<double> seconds;  // that it took, one per round

  Measured measured(const std::vector<Ceilings>& ceilings) const {
    std::vector<double> rates;
    std::vector<double> arithmetic;
    std::vector<double> memory;
    for (std::size_t i = 0; i < seconds.size(); ++i) {
      rates.push_back(tokens / seconds[i]);
      arithmetic.push_back(work.arithmetic_seconds(ceilings[i]) / seconds[i]);
      memory.push_back(work.memory_seconds(ceilings[i]) / seconds[i]);
    }
    Measured result;
    result.tokens_per_second = median(rates);
    result.lowest = *std::min_element(rates.begin(), rates.end());
    result.highest = *std::max_element(rates.begin(), rates.end());
    result.arithmetic_share = median(arithmetic);
    result.memory_share = median(memory);
    result.work = work;
    result.work_per_second = result.tokens_per_second / tokens;
    return result;
  }
};

class ModelBench {
 public:
  ModelBench(const gguf::Reader& file, ModelBundle& bundle, const BenchOptions& options,
             const ProgressFn& progress)
      : context_(*bundle.context),
        causal_(bundle.model->hparams.causal),
        options_(options),
        progress_(progress),
        random_(options.seed) {
    const ModelCost cost(file, *bundle.model);
    const int n_ubatch = context_.n_ubatch();
    for (const int depth : options.depths) {
      Point& point = points_.emplace_back();
      point.depth = depth;
      point.prefill.work = cost.prefill(options.n_prompt, depth, n_ubatch);
      point.prefill.tokens = options.n_prompt;
      // the keys and values of the step in the middle stand for all
      point.decode.work = cost.decode(options.n_batch, depth + options.n_decode / 2);
      point.decode.tokens = options.n_batch;
    }
    const int per_point = options.n_prompt + (causal_ ? options.n_decode * options.n_batch : 0);
    total_ = static_cast<std::uint64_t>(options.rounds) * options.depths.size() *
             static_cast<std::uint64_t>(per_point);
  }

  void round() {
    for (Point& point : points_) {
      if (options_.n_prompt > 0) point.prefill.seconds.push_back(prefill(point.depth));
      if (causal_ && options_.n_decode > 0) point.decode.seconds.push_back(decode(point.depth));
    }
  }

  std::vector<BenchPoint> results(const std::vector<Ceilings>& ceilings) const {
    std::vector<BenchPoint> results;
    for (const Point& point : points_) {
      BenchPoint& result = results.emplace_back();
      result.depth = point.depth;
      if (!point.prefill.seconds.empty()) result.prefill = point.prefill.measured(ceilings);
      if (!point.decode.seconds.empty()) result.decode = point.decode.measured(ceilings);
    }
    return results;
  }

 private:
  struct Point {
    int depth = 0;
    Series prefill;
    Series decode;
  };
  using Clock = std::chrono::steady_clock;

  static double since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
  }

  std::int32_t token() {
    return static_cast<std::int32_t>(random_.bits32() %
                                     static_cast<std::uint32_t>(context_.n_vocab()));
  }

  /// Leaves `depth` tokens in a slot: of those that are there, or random ones.
  void set_depth(int slot, int depth) {
    const bool are_there =
        context_.n_past(slot) >= depth && context_.truncate(slot, depth) == depth;
    if (!are_there) context_.pretend(slot, depth);
  }

  /// Seconds for one prompt after `depth` tokens.
  double prefill(int depth) {
    std::vector<std::int32_t> tokens(static_cast<std::size_t>(options_.n_prompt));
    for (std::int32_t& id : tokens) id = token();
    const ProgressFn inner = [this](std::uint64_t done, std::uint64_t) {
      return !progress_ || progress_(done_ + done, total_);
    };
    if (causal_) set_depth(0, depth);
    const auto start = Clock::now();
    if (causal_) {
      context_.eval(tokens, inner);
    } else {
      context_.embed(tokens, inner);
    }
    const double seconds = since(start);
    done_ += tokens.size();
    return seconds;
  }

  /// Seconds for one step, the mean of n_decode.
  double decode(int depth) {
    std::vector<std::int32_t> tokens(static_cast<std::size_t>(options_.n_batch));
    std::vector<Context::Input> inputs;
    for (int slot = 0; slot < options_.n_batch; ++slot) {
      set_depth(slot, depth);
      inputs.push_back({slot, std::span(tokens).subspan(static_cast<std::size_t>(slot), 1)});
    }
    double seconds = 0;
    for (int i = 0; i < options_.n_decode; ++i) {
      for (std::int32_t& id : tokens) id = token();
      const auto start = Clock::now();
      if (inputs.size() == 1) {
        context_.eval_likeliest(tokens);
      } else {
        context_.eval_batch_likeliest(inputs);
      }
      seconds += since(start);
      done_ += tokens.size();
      report(progress_, done_, total_);
    }
    return seconds / options_.n_decode;
  }

  Context& context_;
  bool causal_;
  const BenchOptions& options_;
  const ProgressFn& progress_;
  Random random_;
  std::vector<Point> points_;
  std::uint64_t done_ = 0;  // tokens
  std::uint64_t total_ = 0;
};

Ceilings medians(const std::vector<Ceilings>& rounds) {
  const auto of = [&](double Ceilings::*kind) {
    std::vector<double> values;
    for (const Ceilings& ceilings : rounds) values.push_back(ceilings.*kind);
    return median(values);
  };
  return {of(&Ceilings::int8), of(&Ceilings::bf16), of(&Ceilings::fma), of(&Ceilings::read)};
}

}  // namespace

int bench_context(const BenchOptions& options) {
  const int deepest = *std::max_element(options.depths.begin(), options.depths.end());
  return deepest + std::max({options.n_prompt, options.n_decode, 1});
}

BenchReport bench_model(const gguf::Reader& file, ModelBundle& bundle, CeilingMeter& meter,
                        const BenchOptions& options, const ProgressFn& progress) {
  BenchReport report;
  ModelBench bench(file, bundle, options, progress);
  std::vector<Ceilings> ceilings;
  for (int i = 0; i < options.rounds; ++i) {
    bench.round();
    // before the first ceilings, which need memory that is not the model's
    if (i == 0) report.peak_rss = peak_resident_bytes();
    ceilings.push_back(meter.measure());
  }
  report.points = bench.results(ceilings);
  report.ceilings = medians(ceilings);
  return report;
}

std::uint64_t peak_resident_bytes() {
  struct rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

}  // namespace hearth
