#include "kernels/amx/install.h"
#include "kernels/avx2/install.h"
#include "kernels/avx512/install.h"
#include "kernels/cpu_features.h"
#include "kernels/dispatch.h"
#include "kernels/scalar/install.h"

namespace hearth::kernels {
namespace {

constexpr IsaLevel kLevels[] = {
    {"scalar", "nothing", [] { return true; }, install_scalar},
    {"avx2", "AVX2, FMA and F16C", [] { return cpu_features().avx2; }, install_avx2},
    {"avx512", "AVX-512 F, BW, VL, DQ and VNNI", [] { return cpu_features().avx512; },
     install_avx512},
    {"amx", "AMX tiles with int8 products, and AVX-512", [] { return cpu_features().amx; },
     install_amx},
};

}  // namespace

IsaLevelRange all_isa_levels() {
  return {kLevels, kLevels + sizeof(kLevels) / sizeof(kLevels[0])};
}

}  // namespace hearth::kernels
