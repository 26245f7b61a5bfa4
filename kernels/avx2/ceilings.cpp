#include "kernels/avx2/parts.h"
#include "kernels/avx2/simd.h"
#include "kernels/generic/busy_loops.h"

namespace hearth::kernels::avx2 {
namespace {

/// The multiplying instruction alone; kernels also have to widen its sums.
struct Int8Op {
  using Vector = __m256i;
  static constexpr int kChains = 12;
  static constexpr int kMultiplications = 32;
  static Vector start(int i) { return _mm256_set1_epi32(i); }
  static Vector step(Vector chain, Vector a, Vector) { return _mm256_maddubs_epi16(chain, a); }
};

}  // namespace

void install_ceilings(KernelTable& table) {
  hearth::kernels::install_ceilings<Simd, Int8Op>(table);
}

}  // namespace hearth::kernels::avx2
