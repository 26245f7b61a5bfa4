// Scores of vectors, in the operations of a level's Floats. The statement: scalar/vectors.cpp. Some
// vectors and some queries go along their elements together, so that each element is loaded once
// for all of them; every pair has sixteen sums of its own.
#pragma once

#include "kernels/vector_kernels.h"

namespace hearth::kernels {
namespace {

template <class S>
typename S::V load_elements(const float* p, std::size_t n) {
  return n == 16 ? S::load(p) : S::load_first(p, n);
}

template <class S>
typename S::V load_elements(const std::uint16_t* p, std::size_t n) {
  if (n == 16) return S::load_half(p);
  std::uint16_t padded[16] = {};
  for (std::size_t i = 0; i < n; ++i) padded[i] = p[i];
  return S::load_half(padded);
}

template <class S, bool kIsDistance, int kVectors, int kQueries, class Element>
void score_tile(const Element* vectors, std::size_t d, const float* queries, float* out,
                std::size_t out_stride) {
  using V = typename S::V;
  V sums[kVectors][kQueries];
  for (auto& row : sums) {
    for (V& sum : row) sum = S::zero();
  }
  const auto step = [&](std::size_t at, std::size_t n) {
    V q[kQueries];
#pragma GCC unroll 8
    for (int j = 0; j < kQueries; ++j) {
      q[j] = load_elements<S>(queries + static_cast<std::size_t>(j) * d + at, n);
    }
#pragma GCC unroll 4
    for (int i = 0; i < kVectors; ++i) {
      const V x = load_elements<S>(vectors + static_cast<std::size_t>(i) * d + at, n);
#pragma GCC unroll 8
      for (int j = 0; j < kQueries; ++j) {
        const V a = kIsDistance ? S::sub(x, q[j]) : x;
        sums[i][j] = S::fma(a, kIsDistance ? a : q[j], sums[i][j]);
      }
    }
  };
  std::size_t at = 0;
  for (; at + 16 <= d; at += 16) step(at, 16);
  if (at < d) step(at, d - at);
  for (int i = 0; i < kVectors; ++i) {
    for (int j = 0; j < kQueries; ++j) {
      out[static_cast<std::size_t>(j) * out_stride + static_cast<std::size_t>(i)] =
          S::sum(sums[i][j]);
    }
  }
}

template <class S, bool kIsDistance, class Element>
void score_vectors(const Element* vectors, std::size_t n, std::size_t d, const float* queries,
                   std::size_t n_queries, float* out) {
  constexpr bool kManySums = S::kSums >= 24;
  constexpr int kVectors = kManySums ? 4 : 2;
  constexpr int kQueries = kManySums ? 6 : 3;
  constexpr int kAlone = kManySums ? 8 : 4;  // vectors beside a single query
  std::size_t q = 0;
  for (; q + kQueries <= n_queries; q += kQueries) {
    const float* some = queries + q * d;
    std::size_t i = 0;
    for (; i + kVectors <= n; i += kVectors) {
      score_tile<S, kIsDistance, kVectors, kQueries>(vectors + i * d, d, some, out + q * n + i, n);
    }
    for (; i < n; ++i) {
      score_tile<S, kIsDistance, 1, kQueries>(vectors + i * d, d, some, out + q * n + i, n);
    }
  }
  for (; q < n_queries; ++q) {
    const float* one = queries + q * d;
    std::size_t i = 0;
    for (; i + kAlone <= n; i += kAlone) {
      score_tile<S, kIsDistance, kAlone, 1>(vectors + i * d, d, one, out + q * n + i, n);
    }
    for (; i < n; ++i) {
      score_tile<S, kIsDistance, 1, 1>(vectors + i * d, d, one, out + q * n + i, n);
    }
  }
}

template <class S>
void install_float_vectors(VectorKernels& table) {
  table.dot_f32 = score_vectors<S, false, float>;
  table.distance_f32 = score_vectors<S, true, float>;
  table.dot_f16 = score_vectors<S, false, std::uint16_t>;
  table.distance_f16 = score_vectors<S, true, std::uint16_t>;
}

}  // namespace
}  // namespace hearth::kernels
