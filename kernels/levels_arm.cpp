#include "kernels/cpu_features.h"
#include "kernels/dispatch.h"
#include "kernels/neon/install.h"
#include "kernels/scalar/install.h"

namespace hearth::kernels {
namespace {

constexpr IsaLevel kLevels[] = {
    {"scalar", "nothing", [] { return true; }, install_scalar},
    {"neon", "NEON with the dot product instructions", [] { return cpu_features().neon_dot; },
     install_neon},
};

}  // namespace

IsaLevelRange all_isa_levels() {
  return {kLevels, kLevels + sizeof(kLevels) / sizeof(kLevels[0])};
}

}  // namespace hearth::kernels
