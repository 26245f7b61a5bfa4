#include "kernels/generic/dequantize.h"

#include "kernels/avx512/floats.h"
#include "kernels/avx512/parts.h"

namespace hearth::kernels::avx512 {

void install_dequantize(KernelTable& table) {
  hearth::kernels::install_dequantize<Floats>(table.dequantize_row);
}

}  // namespace hearth::kernels::avx512
