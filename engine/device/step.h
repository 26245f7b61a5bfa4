// What one pass over a model computes: rows, each a token of some sequence at some position.
#pragma once

#include <span>
#include <vector>

namespace hearth {

/// Consecutive tokens of one sequence: positions n_past .. n_past + n_tokens - 1.
struct StepRun {
  int slot = 0;  // where the sequence has its place in the KV caches
  int n_past = 0;
  int n_tokens = 0;
};

/// The rows of a pass, run after run. A prompt is one run of many tokens; decoding for several
/// people at once is many runs of one. No sequence has more than one run in a step.
class Step {
 public:
  struct Row {
    int slot;
    int position;
    int end;  // one past the last position of its sequence in this step
  };

  Step() = default;
  explicit Step(std::span<const StepRun> runs);

  /// One sequence, in slot 0.
  Step(int n_past, int n_tokens);

  int n_tokens() const { return static_cast<int>(rows_.size()); }
  std::span<const StepRun> runs() const { return runs_; }
  std::span<const Row> rows() const { return rows_; }
  const Row& row(int t) const { return rows_[static_cast<std::size_t>(t)]; }

  /// One past the last position of all: how far the longest sequence reaches.
  int longest() const { return longest_; }

 private:
  std::vector<StepRun> runs_;
  std::vector<Row> rows_;  // [n_tokens]
  int longest_ = 0;
};

}  // namespace hearth
