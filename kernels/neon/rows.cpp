#include "kernels/generic/rows.h"

#include "kernels/neon/floats.h"
#include "kernels/neon/parts.h"

namespace hearth::kernels::neon {

void install_rows(KernelTable& table) {
  hearth::kernels::install_rows<Floats>(table.rows);
}

}  // namespace hearth::kernels::neon
