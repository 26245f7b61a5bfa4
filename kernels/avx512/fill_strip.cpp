#include "kernels/avx512/floats.h"
#include "kernels/avx512/parts.h"
#include "kernels/generic/strip_filling.h"

namespace hearth::kernels::avx512 {

void install_fill_strip(KernelTable& table) {
  hearth::kernels::install_fill_strip<Floats>(table.fill_strip);
}

}  // namespace hearth::kernels::avx512
