// Cosines and sines of a step's rows: a turn is the same in every layer and every head, so it is
// worked out once per step, in double precision as the reference does.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "engine/device/device.h"

namespace hearth {

/// One rope's turns of every row of a step, as kernels/row_kernels.h wants them.
class RopeTable {
 public:
  RopeTable(const Rope& rope, int n_rows);

  bool is_of(const Rope& rope) const;

  /// Works out row t, which stands at `position`.
  void fill(int t, int position);

  /// [row_floats]
  const float* cosines(int t) const { return row(t); }
  const float* sines(int t) const { return row(t) + row_floats_; }

 private:
  const float* row(int t) const {
    return floats_.data() + static_cast<std::size_t>(t) * 2 * row_floats_;
  }

  RopePairing pairing_;
  std::vector<double> frequencies_;
  double magnitude_;
  std::size_t row_floats_;     // one per pair, or one per element of the pairs
  std::vector<float> floats_;  // [n_rows][cosines, sines][row_floats]
};

}  // namespace hearth
