#include "kernels/generic/attention.h"

#include "kernels/avx2/floats.h"
#include "kernels/avx2/parts.h"

namespace hearth::kernels::avx2 {

void install_attention(KernelTable& table) {
  table.attention = attention_kernels<Floats>();
}

}  // namespace hearth::kernels::avx2
