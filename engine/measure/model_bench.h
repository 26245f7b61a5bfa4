// How fast a model is on this machine, beside what the machine can do.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/progress.h"
#include "engine/measure/ceilings.h"
#include "engine/measure/model_cost.h"
#include "engine/runtime/context.h"

namespace hearth {

struct BenchOptions {
  int n_prompt = 512;             // tokens of a prefill; 0: none
  int n_decode = 32;              // steps of decoding; 0: none
  int n_batch = 1;                // sequences that decode at once
  std::vector<int> depths = {0};  // tokens that are there before
  int rounds = 3;
  std::uint64_t seed = 1;
};

/// Tokens that a context needs room for.
int bench_context(const BenchOptions& options);

/// One kind of work in all rounds; medians.
struct Measured {
  double tokens_per_second = 0;
  double lowest = 0;  // of the rounds
  double highest = 0;
  double arithmetic_share = 0;  // of the time, how much the machine's arithmetic needs at least
  double memory_share = 0;      // the same for its memory
  Work work;                    // of one prefill, or of one step
  double work_per_second = 0;   // how often that was done

  /// What would be the limit if everything ran as fast as this machine can.
  bool is_bound_by_memory() const { return memory_share > arithmetic_share; }
};

struct BenchPoint {
  int depth = 0;
  std::optional<Measured> prefill;
  std::optional<Measured> decode;  // tokens of all sequences together
};

struct BenchReport {
  std::vector<BenchPoint> points;  // one for each depth
  Ceilings ceilings;               // medians of the rounds
  std::uint64_t peak_rss = 0;      // bytes: the most memory that this process had so far
};

/// Measures `bundle`, whose context has options.n_batch slots and bench_context() tokens. A round
/// is every prefill, every decoding and the ceilings, so that what the machine does besides hits
/// all alike. An encoder has no decoding and no depths. `progress` counts tokens. Throws Error,
/// Cancelled.
BenchReport bench_model(const gguf::Reader& file, ModelBundle& bundle, CeilingMeter& meter,
                        const BenchOptions& options, const ProgressFn& progress = {});

/// The most resident memory that this process has had, in bytes.
std::uint64_t peak_resident_bytes();

}  // namespace hearth
