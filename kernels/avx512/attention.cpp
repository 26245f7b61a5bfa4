#include "kernels/generic/attention.h"

#include "kernels/avx512/floats.h"
#include "kernels/avx512/parts.h"

namespace hearth::kernels::avx512 {

void install_attention(KernelTable& table) {
  table.attention = attention_kernels<Floats>();
}

}  // namespace hearth::kernels::avx512
