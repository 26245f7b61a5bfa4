#include "engine/model/relative_bias.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace hearth {

int relative_bucket(int distance, int n_buckets, int max_distance) {
  const int half = n_buckets / 2;
  const int exact = half / 2;
  const int side = distance > 0 ? half : 0;
  const int n = std::abs(distance);
  if (n < exact) return side + n;
  // Range i begins at exact (max_distance / exact)^(i / ranges). Bounds that are whole numbers
  // belong to the range that they begin, whatever a logarithm rounds to.
  const int ranges = half - exact;
  const double growth = std::log(static_cast<double>(max_distance) / exact);
  const double at = std::log(static_cast<double>(n) / exact) / growth * ranges + 1e-9;
  return side + std::min(half - 1, exact + static_cast<int>(at));
}

RelativeBias relative_bias(const Model& model, int n_ctx) {
  const HParams& h = model.hparams;
  const HostVector& table = model.weights.attn_rel_b;  // [n_buckets][n_head]
  if (table.empty()) return {};
  RelativeBias bias{.reach = n_ctx + RelativeBias::kPastTheEnd};
  const auto n_head = static_cast<std::size_t>(h.layers.front().n_head);
  for (std::size_t head = 0; head < n_head; ++head) {
    for (int distance = -bias.reach; distance <= bias.reach; ++distance) {
      const int bucket = relative_bucket(distance, h.n_rel_buckets, h.rel_max_distance);
      bias.values.push_back(table[static_cast<std::size_t>(bucket) * n_head + head]);
    }
  }
  return bias;
}

}  // namespace hearth
