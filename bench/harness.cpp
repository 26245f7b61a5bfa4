#include "bench/harness.h"

#include <fmt/format.h>

#include <map>
#include <vector>

#include "kernels/dispatch.h"

namespace hearth::bench {

const Ceilings& ceilings(int n_threads) {
  static std::map<int, Ceilings> known;
  const auto found = known.find(n_threads);
  if (found != known.end()) return found->second;
  return known[n_threads] = CeilingMeter(n_threads).measure();
}

void count(benchmark::State& state, double seconds, const Limits& limits) {
  const double needs_arithmetic = limits.operations / limits.ceiling;
  const double needs_memory = limits.bytes / limits.read;
  state.counters["GOP/s"] = limits.operations / seconds / 1e9;
  state.counters["GB/s"] = limits.bytes / seconds / 1e9;
  state.counters["%arith"] = 100 * needs_arithmetic / seconds;
  state.counters["%memory"] = 100 * needs_memory / seconds;
  state.SetLabel(needs_memory > needs_arithmetic ? "bound by memory" : "bound by arithmetic");
}

int run_benchmarks(int argc, char** argv, void (*add_all)()) {
  // what is given on the command line comes later, and counts
  std::vector<std::string> words = {argv[0], "--benchmark_counters_tabular=true",
                                    "--benchmark_min_time=0.2"};
  words.insert(words.end(), argv + 1, argv + argc);
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  int n = static_cast<int>(arguments.size());
  benchmark::Initialize(&n, arguments.data());
  if (benchmark::ReportUnrecognizedArguments(n, arguments.data())) return 2;
  add_all();
  for (const int t : {1, 2}) {
    const Ceilings& most = ceilings(t);
    const std::string where = fmt::format("at most, threads:{}", t);
    benchmark::AddCustomContext(
        where, fmt::format("int8 {:.0f} GOP/s, bf16 {:.0f}, float {:.0f}, reads {:.1f} GB/s",
                           most.int8 / 1e9, most.bf16 / 1e9, most.fma / 1e9, most.read / 1e9));
  }
  benchmark::AddCustomContext("kernels", std::string(kernels::best_isa_level()->name));
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

}  // namespace hearth::bench
