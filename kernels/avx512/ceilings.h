// The loops that measure this level (generic/busy_loops.h).
#pragma once

#include <immintrin.h>

#include "kernels/generic/busy_loops.h"
#include "kernels/kernel_table.h"

namespace hearth::kernels::avx512 {

void install_ceilings(KernelTable& table);
void install_ceiling_bf16(KernelTable& table);  // only where the CPU has AVX512_BF16

namespace {

struct FloatOp {
  using Vector = __m512;
  static constexpr int kChains = 24;
  static constexpr int kMultiplications = 16;
  static Vector start(int i) { return _mm512_set1_ps(0.5F + 0.001F * static_cast<float>(i)); }
  static Vector step(Vector chain, Vector a, Vector b) { return _mm512_fmadd_ps(chain, a, b); }
};

}  // namespace
}  // namespace hearth::kernels::avx512
