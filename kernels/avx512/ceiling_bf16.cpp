// Compiled with AVX512_BF16 on top of the level.
#include <bit>

#include "kernels/avx512/parts.h"
#include "kernels/avx512/simd.h"
#include "kernels/generic/busy_loops.h"

namespace hearth::kernels::avx512 {
namespace {

struct Bf16Op {
  using Vector = __m512;
  static constexpr int kChains = 24;
  static constexpr int kMultiplications = 32;
  static Vector start(int i) { return _mm512_set1_ps(0.5F + 0.001F * static_cast<float>(i)); }
  static Vector step(Vector chain, Vector a, Vector b) {
    return _mm512_dpbf16_ps(chain, std::bit_cast<__m512bh>(a), std::bit_cast<__m512bh>(b));
  }
};

}  // namespace

void install_ceiling_bf16(KernelTable& table) {
  table.busy_bf16 = {busy_loop<Bf16Op>, kBusyOperations<Bf16Op>};
}

}  // namespace hearth::kernels::avx512
