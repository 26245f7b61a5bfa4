#include "engine/device/cpu/rope_tables.h"

#include "base/stable_math.h"

namespace hearth {

RopeTable::RopeTable(const Rope& rope, int n_rows)
    : pairing_(rope.pairing),
      frequencies_(rope.frequencies),
      magnitude_(rope.magnitude),
      row_floats_(rope.frequencies.size() * (rope.pairing == RopePairing::interleaved ? 2 : 1)),
      floats_(static_cast<std::size_t>(n_rows) * 2 * row_floats_) {}

bool RopeTable::is_of(const Rope& rope) const {
  return pairing_ == rope.pairing && magnitude_ == rope.magnitude &&
         frequencies_ == rope.frequencies;
}

void RopeTable::fill(int t, int position) {
  float* cosines = floats_.data() + static_cast<std::size_t>(t) * 2 * row_floats_;
  float* sines = cosines + row_floats_;
  for (std::size_t i = 0; i < frequencies_.size(); ++i) {
    const SinCos turn = stable_sin_cos(position * frequencies_[i]);
    const auto c = static_cast<float>(turn.cos * magnitude_);
    const auto s = static_cast<float>(turn.sin * magnitude_);
    if (pairing_ == RopePairing::halves) {
      cosines[i] = c;
      sines[i] = s;
    } else {
      cosines[2 * i] = c;
      cosines[2 * i + 1] = c;
      sines[2 * i] = -s;
      sines[2 * i + 1] = s;
    }
  }
}

}  // namespace hearth
