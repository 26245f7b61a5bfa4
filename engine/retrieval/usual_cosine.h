// What a cosine is worth. Of some models all are high: their vectors share a direction.
#pragma once

#include <span>
#include <vector>

#include "engine/retrieval/index.h"

namespace hearth::retrieval {

class UsualCosine {
 public:
  /// The mean direction of an index's vectors, or of a thousand of them, evenly taken. Few say
  /// little of what is usual: the fewer, the nearer the mean is to nothing.
  explicit UsualCosine(const Index& index);

  /// How far a cosine of the question stands above what it has with the index's vectors on average:
  /// 0 is usual or less, 1 is the same direction.
  double above(double cosine, std::span<const float> question) const;

 private:
  std::vector<double> middle_;
};

}  // namespace hearth::retrieval
