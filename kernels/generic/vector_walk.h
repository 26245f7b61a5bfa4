// The way of a tile through vectors and queries, for every level and type of vectors.
//
// Many queries: a tile's vectors come from the second-level cache, its queries from the first, and
// the arithmetic is the limit; the queries after these are asked for meanwhile. A query alone:
// memory is the limit, which serves some streams side by side faster than one, so a tile's vectors
// stand far apart and ask for what comes next.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/generic/panel_prefetch.h"

namespace hearth::kernels {
namespace {

/// How far ahead of a stream's vector memory is asked for. Half of what the matrix kernels do, and
/// half their streams: files have small pages, of which a core finds few at once.
inline constexpr std::size_t kVectorsAhead = 1536;

/// A hint: it may point past the vectors.
template <class Element>
inline __attribute__((always_inline)) void ask_ahead(const Element* p) {
  __builtin_prefetch(
      reinterpret_cast<const char*>(reinterpret_cast<std::uintptr_t>(p) + kVectorsAhead));
}

/// Tile::run<vectors, queries, asks ahead>(vectors, apart, d, queries, out [queries][vectors]),
/// where `apart` elements lie between the beginnings of two vectors.
template <class Tile, int kVectors, int kQueries, bool kAsksAhead, class Element, class Query,
          class Score>
void score_tile(const Element* vectors, std::size_t rows_apart, std::size_t d, const Query* queries,
                Score* out, std::size_t out_stride) {
  Score scores[kQueries][kVectors];
  Tile::template run<kVectors, kQueries, kAsksAhead>(vectors, rows_apart * d, d, queries, scores);
  for (int j = 0; j < kQueries; ++j) {
    Score* row = out + static_cast<std::size_t>(j) * out_stride;
    for (int i = 0; i < kVectors; ++i) row[static_cast<std::size_t>(i) * rows_apart] = scores[j][i];
  }
}

/// Asks for `bytes` of memory into the second-level cache, a share of them at each of some steps.
class AskInShares {
 public:
  AskInShares(const void* from, std::size_t bytes, std::size_t steps)
      : at_(reinterpret_cast<std::uintptr_t>(from)),
        share_((bytes / (steps > 0 ? steps : 1) + kCacheLine - 1) / kCacheLine * kCacheLine) {}

  inline __attribute__((always_inline)) void step() {
    for (const std::uintptr_t end = at_ + share_; at_ < end; at_ += kCacheLine) {
      __builtin_prefetch(reinterpret_cast<const char*>(at_), 0, 2);
    }
  }

 private:
  std::uintptr_t at_;
  std::size_t share_;
};

template <class Tile, class Element, class Query, class Score>
void score_one_query(const Element* vectors, std::size_t n, std::size_t d, const Query* query,
                     Score* out) {
  const std::size_t apart = n / Tile::kAlone;
  for (std::size_t i = 0; i < apart; ++i) {
    score_tile<Tile, Tile::kAlone, 1, true>(vectors + i * d, apart, d, query, out + i, n);
  }
  for (std::size_t i = apart * Tile::kAlone; i < n; ++i) {
    score_tile<Tile, 1, 1, false>(vectors + i * d, 1, d, query, out + i, n);
  }
}

template <class Tile, class Element, class Query, class Score>
void score_vectors(const Element* vectors, std::size_t n, std::size_t d, const Query* queries,
                   std::size_t n_queries, Score* out) {
  constexpr int kVectors = Tile::kVectors, kQueries = Tile::kQueries;
  std::size_t q = 0;
  for (; q + kQueries <= n_queries; q += kQueries) {
    const Query* some = queries + q * d;
    AskInShares next(some + kQueries * d, kQueries * d * sizeof(Query), n / kVectors);
    std::size_t i = 0;
    for (; i + kVectors <= n; i += kVectors) {
      next.step();
      score_tile<Tile, kVectors, kQueries, false>(vectors + i * d, 1, d, some, out + q * n + i, n);
    }
    for (; i < n; ++i) {
      score_tile<Tile, 1, kQueries, false>(vectors + i * d, 1, d, some, out + q * n + i, n);
    }
  }
  for (; q < n_queries; ++q) {
    score_one_query<Tile>(vectors, n, d, queries + q * d, out + q * n);
  }
}

}  // namespace
}  // namespace hearth::kernels
