#include "kernels/avx512/parts.h"
#include "kernels/avx512/simd.h"
#include "kernels/generic/busy_loops.h"

namespace hearth::kernels::avx512 {
namespace {

struct Int8Op {
  using Vector = __m512i;
  static constexpr int kChains = 24;
  static constexpr int kMultiplications = 64;
  static Vector start(int i) { return _mm512_set1_epi32(i); }
  static Vector step(Vector chain, Vector a, Vector b) { return _mm512_dpbusd_epi32(chain, a, b); }
};

}  // namespace

void install_ceilings(KernelTable& table) {
  hearth::kernels::install_ceilings<Simd, Int8Op>(table);
}

}  // namespace hearth::kernels::avx512
