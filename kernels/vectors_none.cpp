#include "kernels/scalar/vectors.h"

namespace hearth::kernels {

VectorKernels vector_kernels(const IsaLevel&) {
  return scalar::vector_kernels();
}

}  // namespace hearth::kernels
