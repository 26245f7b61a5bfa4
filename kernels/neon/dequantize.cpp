#include "kernels/generic/dequantize.h"

#include "kernels/neon/floats.h"
#include "kernels/neon/parts.h"

namespace hearth::kernels::neon {

void install_dequantize(KernelTable& table) {
  hearth::kernels::install_dequantize<Floats>(table.dequantize_row);
}

}  // namespace hearth::kernels::neon
