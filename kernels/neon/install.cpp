#include "kernels/neon/install.h"

namespace hearth::kernels {

void install_neon(KernelTable&) {}

}  // namespace hearth::kernels
