// The matrix kernels of the float types, as generic/quantised_tile.h has those of the quantised
// ones. The statement: scalar/matmul_float.cpp.
#pragma once

#include "kernels/generic/panel_prefetch.h"
#include "kernels/generic/panel_walk.h"

namespace hearth::kernels {
namespace {

/// F32 and F16: acc = fma(w[k], x[k], acc), k in order.
template <class S, QuantType type>
struct FloatTile {
  using Float = typename S::Float;
  static constexpr QuantType kType = type;
  static constexpr std::size_t kUnit = (type == QuantType::F32 ? 4 : 2) * S::kLanes;

  template <int kPanels, int kColumns>
  static void run(const std::byte* const (&panels)[kPanels], std::size_t, const Strip& x,
                  int column, Float (&out)[kPanels][kColumns]) {
    for (auto& row : out) {
      for (Float& sum : row) sum = S::zero_float();
    }
    const float* elements = x.floats + column;
    for (std::size_t k = 0; k < x.length; ++k, elements += x.width) {
#pragma GCC unroll 8
      for (int p = 0; p < kPanels; ++p) {
        const Float w = load(panels[p] + k * kUnit);
        if constexpr (kColumns <= kPrefetchedColumns)
          __builtin_prefetch(panels[p] + k * kUnit + kPrefetchAhead);
        for (int c = 0; c < kColumns; ++c) {
          out[p][c] = S::fma(w, S::broadcast(elements + c), out[p][c]);
        }
      }
    }
  }

 private:
  static Float load(const std::byte* p) {
    if constexpr (type == QuantType::F32) {
      return S::load_float(p);
    } else {
      return S::load_half(p);
    }
  }
};

/// BF16 on a strip of bfloat16 pairs.
template <class S>
struct BFloatTile {
  using Float = typename S::Float;
  static constexpr QuantType kType = QuantType::BF16;

  template <int kPanels, int kColumns>
  static void run(const std::byte* const (&panels)[kPanels], std::size_t, const Strip& x,
                  int column, Float (&out)[kPanels][kColumns]) {
    for (auto& row : out) {
      for (Float& sum : row) sum = S::zero_float();
    }
    const std::uint32_t* pairs = x.pairs + column;
    const std::size_t n_pairs = (x.length + 1) / 2;
    for (std::size_t k = 0; k < n_pairs; ++k, pairs += x.width) {
#pragma GCC unroll 8
      for (int p = 0; p < kPanels; ++p) {
        const std::byte* unit = panels[p] + k * 4 * S::kLanes;
        const typename S::Int w = S::load(unit);
        if constexpr (kColumns <= kPrefetchedColumns) __builtin_prefetch(unit + kPrefetchAhead);
        for (int c = 0; c < kColumns; ++c) out[p][c] = S::dot_bf16(out[p][c], w, pairs + c);
      }
    }
  }
};

}  // namespace
}  // namespace hearth::kernels
