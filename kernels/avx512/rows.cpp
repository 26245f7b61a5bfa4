#include "kernels/generic/rows.h"

#include "kernels/avx512/floats.h"
#include "kernels/avx512/parts.h"

namespace hearth::kernels::avx512 {

void install_rows(KernelTable& table) {
  hearth::kernels::install_rows<Floats>(table.rows);
}

}  // namespace hearth::kernels::avx512
