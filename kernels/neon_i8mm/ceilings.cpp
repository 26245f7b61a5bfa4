#include <arm_neon.h>

#include "kernels/generic/busy_loops.h"
#include "kernels/neon_i8mm/parts.h"

namespace hearth::kernels::neon_i8mm {
namespace {

struct Int8Op {
  using Vector = int32x4_t;
  static constexpr int kChains = 24;
  static constexpr int kMultiplications = 32;
  static Vector start(int i) { return vdupq_n_s32(i); }
  static Vector step(Vector chain, Vector a, Vector b) {
    return vmmlaq_s32(chain, vreinterpretq_s8_s32(a), vreinterpretq_s8_s32(b));
  }
};

}  // namespace

void install_ceilings(KernelTable& table) {
  table.busy_int8 = {busy_loop<Int8Op>, kBusyOperations<Int8Op>};
}

}  // namespace hearth::kernels::neon_i8mm
