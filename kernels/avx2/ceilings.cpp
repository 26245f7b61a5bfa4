#include "kernels/avx2/ceilings.h"

#include <immintrin.h>

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

struct FloatOp {
  using Vector = __m256;
  static constexpr int kChains = 12;
  static constexpr int kMultiplications = 8;
  static Vector start(int i) { return _mm256_set1_ps(0.5F + 0.001F * static_cast<float>(i)); }
  static Vector step(Vector chain, Vector a, Vector b) { return _mm256_fmadd_ps(chain, a, b); }
};

struct Words {
  using Vector = __m256i;
  static Vector zero() { return _mm256_setzero_si256(); }
  static Vector load(const std::byte* p) {
    return _mm256_load_si256(reinterpret_cast<const __m256i*>(p));
  }
  static Vector exclusive_or(Vector a, Vector b) { return _mm256_xor_si256(a, b); }
};

}  // namespace

void install_ceilings(KernelTable& table) {
  table.busy_int8 = {busy_loop<Int8Op>, kBusyOperations<Int8Op>};
  table.busy_fma = {busy_loop<FloatOp>, kBusyOperations<FloatOp>};
  table.busy_bf16 = table.busy_fma;
  table.read_memory = read_memory<Words>;
}

}  // namespace hearth::kernels::avx2
