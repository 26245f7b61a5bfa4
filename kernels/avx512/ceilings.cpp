#include "kernels/avx512/ceilings.h"

namespace hearth::kernels::avx512 {
namespace {

struct Int8Op {
  using Vector = __m512i;
  static constexpr int kChains = 24;
  static constexpr int kMultiplications = 64;
  static Vector start(int i) { return _mm512_set1_epi32(i); }
  static Vector step(Vector chain, Vector a, Vector b) { return _mm512_dpbusd_epi32(chain, a, b); }
};

struct Words {
  using Vector = __m512i;
  static Vector zero() { return _mm512_setzero_si512(); }
  static Vector load(const std::byte* p) { return _mm512_load_si512(p); }
  static Vector exclusive_or(Vector a, Vector b) { return _mm512_xor_si512(a, b); }
};

}  // namespace

void install_ceilings(KernelTable& table) {
  table.busy_int8 = {busy_loop<Int8Op>, kBusyOperations<Int8Op>};
  table.busy_fma = {busy_loop<FloatOp>, kBusyOperations<FloatOp>};
  table.busy_bf16 = table.busy_fma;
  table.read_memory = read_memory<Words>;
}

}  // namespace hearth::kernels::avx512
