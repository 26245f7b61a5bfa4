// Relative position bias: distances fall into buckets, and a learned number per bucket and head
// stands beside the score (T5, arXiv 1910.10683; MPNet, arXiv 2004.09297).
#pragma once

#include "engine/device/device.h"
#include "engine/model/model.h"

namespace hearth {

/// The bucket of a key at `distance` = its position less the query's. Half of the buckets are for
/// keys that come later. Of a half, the first half are for one distance each, the others for ranges
/// that grow as powers, up to `max_distance`; what is farther shares the last.
int relative_bucket(int distance, int n_buckets, int max_distance);

/// The model's biases by distance, for a context of n_ctx tokens; without values if it has none.
RelativeBias relative_bias(const Model& model, int n_ctx);

}  // namespace hearth
