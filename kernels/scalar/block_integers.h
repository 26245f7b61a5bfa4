// The integers of a quantised block, for the statement of the matrix kernels (scalar/matmul.h).
#pragma once

#include "kernels/quant_types.h"

namespace hearth::kernels::scalar {

/// The element i of sub-block s is  d * scale[s] * q[i] + m * min[s].
struct BlockIntegers {
  float d = 0.0F;
  float m = 0.0F;
  bool has_min = false;
  int n = 0;           // elements: 32 or 256
  int q[256] = {};     // [n]
  int sub_block = 0;   // elements: 16 or 32
  int scale[16] = {};  // [n / sub_block]
  int min[16] = {};
};

/// Reads one block of the type as it stands in the file.
using ReadBlock = void (*)(const void* block, BlockIntegers& out);

template <QuantType type>
void read_block(const void* block, BlockIntegers& out);

}  // namespace hearth::kernels::scalar
