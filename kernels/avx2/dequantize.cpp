#include "kernels/generic/dequantize.h"

#include "kernels/avx2/floats.h"
#include "kernels/avx2/parts.h"

namespace hearth::kernels::avx2 {

void install_dequantize(KernelTable& table) {
  hearth::kernels::install_dequantize<Floats>(table.dequantize_row);
}

}  // namespace hearth::kernels::avx2
