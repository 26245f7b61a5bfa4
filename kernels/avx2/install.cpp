#include "kernels/avx2/install.h"

namespace hearth::kernels {

void install_avx2(KernelTable&) {}

}  // namespace hearth::kernels
