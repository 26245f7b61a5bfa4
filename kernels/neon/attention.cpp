#include "kernels/generic/attention.h"

#include "kernels/neon/floats.h"
#include "kernels/neon/parts.h"

namespace hearth::kernels::neon {

void install_attention(KernelTable& table) {
  table.attention = attention_kernels<Floats>();
}

}  // namespace hearth::kernels::neon
