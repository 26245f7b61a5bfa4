#include "base/nmse.h"

#include <cstddef>
#include <limits>

#include "base/error.h"

namespace hearth {

double nmse(std::span<const float> got, std::span<const float> truth) {
  HEARTH_CHECK(got.size() == truth.size());
  double error = 0.0;
  double power = 0.0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double difference = static_cast<double>(got[i]) - static_cast<double>(truth[i]);
    error += difference * difference;
    power += static_cast<double>(truth[i]) * static_cast<double>(truth[i]);
  }
  if (error == 0.0) return 0.0;
  return power == 0.0 ? std::numeric_limits<double>::infinity() : error / power;
}

}  // namespace hearth
