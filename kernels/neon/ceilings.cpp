#include "kernels/generic/busy_loops.h"
#include "kernels/neon/parts.h"
#include "kernels/neon/simd.h"

namespace hearth::kernels::neon {
namespace {

struct Int8Op {
  using Vector = int32x4_t;
  static constexpr int kChains = 24;
  static constexpr int kMultiplications = 16;
  static Vector start(int i) { return vdupq_n_s32(i); }
  static Vector step(Vector chain, Vector a, Vector b) {
    return vdotq_s32(chain, vreinterpretq_s8_s32(a), vreinterpretq_s8_s32(b));
  }
};

}  // namespace

void install_ceilings(KernelTable& table) {
  hearth::kernels::install_ceilings<Simd, Int8Op>(table);
}

}  // namespace hearth::kernels::neon
