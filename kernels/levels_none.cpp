#include "kernels/dispatch.h"
#include "kernels/scalar/install.h"

namespace hearth::kernels {
namespace {

constexpr IsaLevel kLevels[] = {
    {"scalar", "nothing", [] { return true; }, install_scalar},
};

}  // namespace

IsaLevelRange all_isa_levels() {
  return {kLevels, kLevels + sizeof(kLevels) / sizeof(kLevels[0])};
}

}  // namespace hearth::kernels
