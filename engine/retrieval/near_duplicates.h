// Texts that say nearly the same in nearly the same words.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace hearth::retrieval {

/// Pairs (i, j), i < j, for each text j the first i that shares at least four fifths of all runs of
/// three terms that either has. Found by MinHash (Broder 1997): a pair just at that share is missed
/// once in seventy.
std::vector<std::pair<std::size_t, std::size_t>> near_duplicates(
    std::span<const std::string> texts);

}  // namespace hearth::retrieval
