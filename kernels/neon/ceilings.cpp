#include "kernels/neon/ceilings.h"

#include <arm_neon.h>

#include "kernels/generic/busy_loops.h"

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

struct FloatOp {
  using Vector = float32x4_t;
  static constexpr int kChains = 24;
  static constexpr int kMultiplications = 4;
  static Vector start(int i) { return vdupq_n_f32(0.5F + 0.001F * static_cast<float>(i)); }
  /// The sum is what the instruction overwrites, and so what the chain must go through.
  static Vector step(Vector chain, Vector a, Vector b) { return vfmaq_f32(chain, a, b); }
};

struct Words {
  using Vector = uint64x2_t;
  static Vector zero() { return vdupq_n_u64(0); }
  static Vector load(const std::byte* p) {
    return vld1q_u64(reinterpret_cast<const std::uint64_t*>(p));
  }
  static Vector exclusive_or(Vector a, Vector b) { return veorq_u64(a, b); }
};

}  // namespace

void install_ceilings(KernelTable& table) {
  table.busy_int8 = {busy_loop<Int8Op>, kBusyOperations<Int8Op>};
  table.busy_fma = {busy_loop<FloatOp>, kBusyOperations<FloatOp>};
  table.busy_bf16 = table.busy_fma;
  table.read_memory = read_memory<Words>;
}

}  // namespace hearth::kernels::neon
