#include "engine/retrieval/usual_cosine.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace hearth::retrieval {
namespace {

constexpr std::uint64_t kMostVectors = 1000;
/// Vectors without a direction that are counted with the others.
constexpr double kFew = 8.0;

double length_of(std::span<const float> vector) {
  double square = 0.0;
  for (const float x : vector) square += static_cast<double>(x) * static_cast<double>(x);
  return std::sqrt(square);
}

}  // namespace

UsualCosine::UsualCosine(const Index& index) : middle_(index.settings().layout.dimension) {
  double n = kFew;
  const std::uint64_t step = std::max<std::uint64_t>(1, index.n_numbers() / kMostVectors);
  for (std::uint64_t number = 0; number < index.n_numbers(); number += step) {
    if (!index.is_live(number)) continue;
    const std::vector<float> vector = index.vector(number);
    const double length = length_of(vector);
    if (length == 0.0) continue;
    for (std::size_t i = 0; i < middle_.size(); ++i) {
      middle_[i] += static_cast<double>(vector[i]) / length;
    }
    ++n;
  }
  for (double& x : middle_) x /= n;
}

double UsualCosine::above(double cosine, std::span<const float> question) const {
  HEARTH_CHECK(question.size() == middle_.size());
  const double length = length_of(question);
  if (length == 0.0) return 0.0;
  double usual = 0.0;
  for (std::size_t i = 0; i < question.size(); ++i) {
    usual += static_cast<double>(question[i]) / length * middle_[i];
  }
  usual = std::clamp(usual, 0.0, 1.0);
  return usual < 1.0 ? std::clamp((cosine - usual) / (1.0 - usual), 0.0, 1.0) : 0.0;
}

}  // namespace hearth::retrieval
