// Compiled with AVX512_BF16 on top of the level.
#include "kernels/avx512/parts.h"
#include "kernels/avx512/simd.h"
#include "kernels/generic/install_matmul.h"

namespace hearth::kernels::avx512 {
namespace {

struct Bf16Simd : Simd {
  static Float dot_bf16(Float acc, Int w, const std::uint32_t* pair) {
    __asm__("vdpbf16ps %2%{1to16%}, %1, %0" : "+v"(acc) : "v"(w), "m"(*pair));
    return acc;
  }
};

}  // namespace

void install_matmul_bf16(KernelTable& table) {
  hearth::kernels::install_matmul_bf16<Bf16Simd>(table);
}

}  // namespace hearth::kernels::avx512
