#include "kernels/generic/rows.h"

#include "kernels/avx2/floats.h"
#include "kernels/avx2/parts.h"

namespace hearth::kernels::avx2 {

void install_rows(KernelTable& table) {
  hearth::kernels::install_rows<Floats>(table.rows);
}

}  // namespace hearth::kernels::avx2
