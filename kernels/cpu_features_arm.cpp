// Linux tells what the CPU has in the auxiliary vector (Documentation/arch/arm64/elf_hwcaps).
#include <sys/auxv.h>

#include "kernels/cpu_features.h"

namespace hearth::kernels {
namespace {

CpuFeatures detect() {
  constexpr unsigned long kDotProduct = 1ul << 20;  // AT_HWCAP
  constexpr unsigned long kI8mm = 1ul << 13;        // AT_HWCAP2
  CpuFeatures features;
  features.neon_dot = (getauxval(AT_HWCAP) & kDotProduct) != 0;
  features.neon_i8mm = features.neon_dot && (getauxval(AT_HWCAP2) & kI8mm) != 0;
  return features;
}

}  // namespace

const CpuFeatures& cpu_features() {
  static const CpuFeatures kFeatures = detect();
  return kFeatures;
}

}  // namespace hearth::kernels
