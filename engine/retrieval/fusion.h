// Two rankings made into one.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "engine/retrieval/top_k.h"

namespace hearth::retrieval {

/// Reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009): 1 / (20 + rank), summed over
/// the rankings, in which the best has rank 1. The k best. The paper has 60, for many rankings; of
/// two, one that is sure would then lose to what both find so-so
/// (tests/retrieval/test_fused_search.cpp).
std::vector<Scored> fuse(std::span<const std::vector<Scored>> rankings, std::size_t k);

}  // namespace hearth::retrieval
