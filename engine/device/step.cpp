#include "engine/device/step.h"

#include <algorithm>

#include "base/error.h"

namespace hearth {

Step::Step(std::span<const StepRun> runs) : runs_(runs.begin(), runs.end()) {
  for (const StepRun& run : runs_) {
    HEARTH_CHECK(run.slot >= 0 && run.n_past >= 0 && run.n_tokens > 0);
    const auto is_same = [&](const StepRun& other) { return other.slot == run.slot; };
    HEARTH_CHECK(std::count_if(runs_.begin(), runs_.end(), is_same) == 1);
    const int end = run.n_past + run.n_tokens;
    for (int position = run.n_past; position < end; ++position) {
      rows_.push_back({.slot = run.slot, .position = position, .end = end});
    }
    longest_ = std::max(longest_, end);
  }
}

Step::Step(int n_past, int n_tokens)
    : Step(std::vector<StepRun>{{.slot = 0, .n_past = n_past, .n_tokens = n_tokens}}) {}

}  // namespace hearth
