#include "kernels/cpu_features.h"
#include "kernels/dispatch.h"
#include "kernels/neon/install.h"
#include "kernels/neon_i8mm/install.h"
#include "kernels/scalar/install.h"

namespace hearth::kernels {
namespace {

constexpr IsaLevel kLevels[] = {
    {"scalar", "nothing", [] { return true; }, install_scalar},
    {"neon", "NEON with the dot product instructions", [] { return cpu_features().neon_dot; },
     install_neon},
    {"neon_i8mm", "NEON with the 8-bit matrix instructions",
     [] { return cpu_features().neon_i8mm; }, install_neon_i8mm},
};

}  // namespace

IsaLevelRange all_isa_levels() {
  return {kLevels, kLevels + sizeof(kLevels) / sizeof(kLevels[0])};
}

}  // namespace hearth::kernels
