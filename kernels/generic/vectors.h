// Scores of vectors, in the operations of a level's Floats. The statement: scalar/vectors.cpp. Some
// vectors and some queries go along their elements together, so that each element is loaded once
// for all of them; every pair has sixteen sums of its own. All loops over sums are unrolled: with
// one that is not, g++ would give the sums an address and keep them in memory.
#pragma once

#include "kernels/generic/functions.h"
#include "kernels/generic/vector_walk.h"
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

template <class S, bool kIsDistance, class Element>
struct FloatScores {
  using V = typename S::V;
  static constexpr bool kManySums = S::kSums >= 24;
  static constexpr int kVectors = kManySums ? 4 : 2;
  static constexpr int kQueries = kManySums ? 6 : 3;
  static constexpr int kAlone = 4;  // vectors beside a single query

  template <int kVectors, int kQueries, bool kAsksAhead>
  static void run(const Element* vectors, std::size_t apart, std::size_t d, const float* queries,
                  float (&out)[kQueries][kVectors]) {
    V sums[kQueries][kVectors];
#pragma GCC unroll 8
    for (int j = 0; j < kQueries; ++j) {
#pragma GCC unroll 8
      for (int i = 0; i < kVectors; ++i) sums[j][i] = S::zero();
    }
    const auto step = [&](std::size_t at, std::size_t n) {
      V q[kQueries];
#pragma GCC unroll 8
      for (int j = 0; j < kQueries; ++j) {
        q[j] = load_elements<S>(queries + static_cast<std::size_t>(j) * d + at, n);
      }
#pragma GCC unroll 8
      for (int i = 0; i < kVectors; ++i) {
        const Element* p = vectors + static_cast<std::size_t>(i) * apart + at;
        if constexpr (kAsksAhead) ask_ahead(p);
        const V x = load_elements<S>(p, n);
#pragma GCC unroll 8
        for (int j = 0; j < kQueries; ++j) {
          const V a = kIsDistance ? S::sub(x, q[j]) : x;
          sums[j][i] = S::fma(a, kIsDistance ? a : q[j], sums[j][i]);
        }
      }
    };
    std::size_t at = 0;
    for (; at + 16 <= d; at += 16) step(at, 16);
    if (at < d) step(at, d - at);
    add_lanes<S, kVectors * kQueries>(sums[0], out[0]);
  }
};

template <class S>
void install_float_vectors(VectorKernels& table) {
  table.dot_f32 = score_vectors<FloatScores<S, false, float>, float, float, float>;
  table.distance_f32 = score_vectors<FloatScores<S, true, float>, float, float, float>;
  table.dot_f16 = score_vectors<FloatScores<S, false, std::uint16_t>, std::uint16_t, float, float>;
  table.distance_f16 =
      score_vectors<FloatScores<S, true, std::uint16_t>, std::uint16_t, float, float>;
}

}  // namespace
}  // namespace hearth::kernels
