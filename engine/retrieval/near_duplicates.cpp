#include "engine/retrieval/near_duplicates.h"

#include <algorithm>
#include <array>
#include <limits>
#include <map>

#include "base/hash64.h"
#include "engine/retrieval/words.h"

namespace hearth::retrieval {
namespace {

constexpr std::size_t kBands = 8;
constexpr std::size_t kRows = 4;
constexpr double kLeastShare = 0.8;
/// Texts of a bucket that a newcomer is compared with.
constexpr std::size_t kMostCompared = 8;

using Shingles = std::vector<std::uint64_t>;  // sorted, each once

Shingles shingles_of(const std::string& text) {
  const std::vector<std::string> terms = terms_of(text);
  Shingles all;
  for (std::size_t i = 0; i < terms.size(); ++i) {
    Hash64 hash;
    for (std::size_t j = i; j < std::min(i + 3, terms.size()); ++j) {
      hash.add(terms[j]);
      hash.add(" ");
    }
    all.push_back(hash.value());
    if (i + 3 >= terms.size()) break;
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

/// A well mixed function of x, another for each i (the finaliser of MurmurHash3).
std::uint64_t mixed(std::uint64_t x, std::uint64_t i) {
  x ^= (i + 1) * 0x9E3779B97F4A7C15u;
  x = (x ^ x >> 33) * 0xFF51AFD7ED558CCDu;
  x = (x ^ x >> 33) * 0xC4CEB9FE1A85EC53u;
  return x ^ x >> 33;
}

std::uint64_t band_hash(const Shingles& shingles, std::size_t band) {
  std::array<std::uint64_t, kRows> least;
  least.fill(std::numeric_limits<std::uint64_t>::max());
  for (const std::uint64_t shingle : shingles) {
    for (std::size_t r = 0; r < kRows; ++r) {
      least[r] = std::min(least[r], mixed(shingle, band * kRows + r));
    }
  }
  return hash64(std::as_bytes(std::span(least)));
}

double shared(const Shingles& a, const Shingles& b) {
  Shingles both;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
  const auto n = static_cast<double>(both.size());
  return n / (static_cast<double>(a.size() + b.size()) - n);
}

}  // namespace

std::vector<std::pair<std::size_t, std::size_t>> near_duplicates(
    std::span<const std::string> texts) {
  std::vector<Shingles> all;
  std::map<std::pair<std::size_t, std::uint64_t>, std::vector<std::size_t>> buckets;
  std::vector<std::pair<std::size_t, std::size_t>> pairs;
  for (std::size_t j = 0; j < texts.size(); ++j) {
    all.push_back(shingles_of(texts[j]));
    if (all[j].empty()) continue;
    std::size_t first = j;
    for (std::size_t band = 0; band < kBands; ++band) {
      std::vector<std::size_t>& bucket = buckets[{band, band_hash(all[j], band)}];
      for (const std::size_t i : bucket) {
        if (i < first && shared(all[i], all[j]) >= kLeastShare) first = i;
      }
      if (bucket.size() < kMostCompared) bucket.push_back(j);
    }
    if (first < j) pairs.emplace_back(first, j);
  }
  return pairs;
}

}  // namespace hearth::retrieval
