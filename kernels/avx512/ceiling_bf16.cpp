// Compiled with AVX512_BF16 on top of the level.
#include <bit>

#include "kernels/avx512/ceilings.h"

namespace hearth::kernels::avx512 {
namespace {

struct Bf16Op : FloatOp {
  static constexpr int kMultiplications = 32;
  static Vector step(Vector chain, Vector a, Vector b) {
    return _mm512_dpbf16_ps(chain, std::bit_cast<__m512bh>(a), std::bit_cast<__m512bh>(b));
  }
};

}  // namespace

void install_ceiling_bf16(KernelTable& table) {
  table.busy_bf16 = {busy_loop<Bf16Op>, kBusyOperations<Bf16Op>};
}

}  // namespace hearth::kernels::avx512
