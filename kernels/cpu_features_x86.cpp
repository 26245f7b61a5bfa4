// CPUID leaves and bits: Intel's manual, volume 2, "CPUID". A bit alone is not enough: the system
// must also save the registers on a task switch, which XCR0 tells.
#include <cpuid.h>

#include <cstdint>

#include "kernels/cpu_features.h"

namespace hearth::kernels {
namespace {

struct Leaf {
  std::uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;

  Leaf(std::uint32_t leaf, std::uint32_t subleaf) {
    if (__get_cpuid_count(leaf, subleaf, &eax, &ebx, &ecx, &edx) == 0) *this = {};
  }

 private:
  Leaf() = default;
};

bool all_set(std::uint32_t bits, std::uint32_t wanted) {
  return (bits & wanted) == wanted;
}

constexpr std::uint32_t bit(int n) {
  return std::uint32_t{1} << n;
}

/// Which register states the system saves.
std::uint32_t saved_states() {
  std::uint32_t low = 0;
  std::uint32_t high = 0;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

/// Linux saves tiles only for processes that have asked for them (its x86/xstate.rst); other
/// systems are not asked, so they do without.
bool may_use_tiles() {
#if defined(__linux__) && defined(__x86_64__)
  constexpr long kArchPrctl = 158;       // the system call
  constexpr long kAskForState = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr long kTileData = 18;         // XFEATURE_XTILEDATA
  long result = 0;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(kArchPrctl), "D"(kAskForState), "S"(kTileData)
                   : "rcx", "r11", "memory");
  return result == 0;
#else
  return false;
#endif
}

CpuFeatures detect() {
  constexpr std::uint32_t kFma = bit(12), kOsSaves = bit(27), kF16c = bit(29);  // leaf 1, ecx
  constexpr std::uint32_t kAvx2 = bit(5);                                       // leaf 7, ebx
  constexpr std::uint32_t kAvx512 = bit(16) | bit(17) | bit(30) | bit(31);      // F DQ BW VL
  constexpr std::uint32_t kVnni = bit(11);                                      // leaf 7, ecx
  constexpr std::uint32_t kBf16 = bit(5);                                       // leaf 7.1, eax
  constexpr std::uint32_t kTiles = bit(24) | bit(25);                           // leaf 7, edx
  constexpr std::uint32_t kTileState = bit(17) | bit(18);                       // XCR0
  constexpr std::uint32_t kUpperHalves = bit(1) | bit(2);                       // XCR0
  constexpr std::uint32_t kWideRegisters = kUpperHalves | bit(5) | bit(6) | bit(7);  // XCR0

  CpuFeatures features;
  const Leaf basic(1, 0);
  if (!all_set(basic.ecx, kOsSaves)) return features;
  const std::uint32_t saved = saved_states();
  const Leaf extended(7, 0);
  features.avx2 = all_set(basic.ecx, kFma | kF16c) && all_set(extended.ebx, kAvx2) &&
                  all_set(saved, kUpperHalves);
  features.avx512 = features.avx2 && all_set(extended.ebx, kAvx512) &&
                    all_set(extended.ecx, kVnni) && all_set(saved, kWideRegisters);
  features.avx512_bf16 = features.avx512 && all_set(Leaf(7, 1).eax, kBf16);
  features.amx = features.avx512 && all_set(extended.edx, kTiles) && all_set(saved, kTileState) &&
                 may_use_tiles();
  return features;
}

}  // namespace

const CpuFeatures& cpu_features() {
  static const CpuFeatures kFeatures = detect();
  return kFeatures;
}

}  // namespace hearth::kernels
