// What the benchmark programs share: ceilings of this machine beside every rate, and the start.
#pragma once

#include <benchmark/benchmark.h>

#include <chrono>
#include <string>

#include "engine/measure/ceilings.h"

namespace hearth::bench {

/// Measured before the first benchmark that asks, and kept.
const Ceilings& ceilings(int n_threads);

/// Runs `body` as often as asked; seconds for each time.
template <class Body>
double seconds_each(benchmark::State& state, const Body& body) {
  const auto start = std::chrono::steady_clock::now();
  for (auto _ : state) {
    body();
    benchmark::ClobberMemory();
  }
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  return elapsed.count() / static_cast<double>(state.iterations());
}

/// What an iteration does, and the most that the machine does of either in a second.
struct Limits {
  double operations;
  double ceiling;
  double bytes;
  double read;
};

/// Rates and shares as columns of the table.
void count(benchmark::State& state, double seconds, const Limits& limits);

template <class Run>
void add(const std::string& name, Run run) {
  benchmark::RegisterBenchmark(name.c_str(), run)->UseRealTime()->Unit(benchmark::kMillisecond);
}

/// main(): reads Google Benchmark's options, has `add_all` register, and runs. Returns the status.
int run_benchmarks(int argc, char** argv, void (*add_all)());

}  // namespace hearth::bench
