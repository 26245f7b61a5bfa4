// What this machine's CPU can do, as far as the kernels ask. Read once, without privileges.
#pragma once

namespace hearth::kernels {

struct CpuFeatures {
  bool avx2 = false;         // with FMA and F16C, and the system saves the upper halves
  bool avx512 = false;       // F, BW, VL, DQ and VNNI, and the system saves the registers
  bool avx512_bf16 = false;  // on top of avx512
  bool amx = false;          // tiles and int8 products on top of avx512; the system lets us
  bool neon_dot = false;     // the sdot instructions
  bool neon_i8mm = false;    // the smmla instructions, on top of neon_dot
};

const CpuFeatures& cpu_features();

}  // namespace hearth::kernels
