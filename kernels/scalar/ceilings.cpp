#include "kernels/scalar/ceilings.h"

#include <cstring>

#include "kernels/generic/busy_loops.h"

namespace hearth::kernels::scalar {
namespace {

// A chain multiplies itself, so that the compiler cannot sum it up in one go.

struct IntegerOp {
  using Vector = std::uint32_t;
  static constexpr int kChains = 8;
  static constexpr int kMultiplications = 1;
  static Vector start(int i) { return 2654435761U + static_cast<std::uint32_t>(i); }
  static Vector step(Vector chain, Vector a, Vector b) { return chain * a + b; }
};

struct FloatOp {
  using Vector = float;
  static constexpr int kChains = 8;
  static constexpr int kMultiplications = 1;
  static Vector start(int i) { return 0.5F + 0.001F * static_cast<float>(i); }
  static Vector step(Vector chain, Vector a, Vector b) { return chain * a + b; }
};

struct Word {
  using Vector = std::uint64_t;
  static Vector zero() { return 0; }
  static Vector load(const std::byte* p) {
    Vector word = 0;
    std::memcpy(&word, p, sizeof word);
    return word;
  }
  static Vector exclusive_or(Vector a, Vector b) { return a ^ b; }
};

}  // namespace

void install_ceilings(KernelTable& table) {
  install_busy_loops<IntegerOp, FloatOp, Word>(table);
}

}  // namespace hearth::kernels::scalar
