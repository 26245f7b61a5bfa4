#include "kernels/generic/strip_filling.h"
#include "kernels/neon/floats.h"
#include "kernels/neon/parts.h"

namespace hearth::kernels::neon {

void install_fill_strip(KernelTable& table) {
  hearth::kernels::install_fill_strip<Floats>(table.fill_strip);
}

}  // namespace hearth::kernels::neon
