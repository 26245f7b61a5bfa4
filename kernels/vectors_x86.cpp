#include "kernels/avx2/install_vectors.h"
#include "kernels/avx512/install_vectors.h"
#include "kernels/scalar/vectors.h"

namespace hearth::kernels {

VectorKernels vector_kernels(const IsaLevel& level) {
  VectorKernels table = scalar::vector_kernels();
  if (level.name == "avx2") install_avx2(table);
  if (level.name == "avx512") install_avx512(table);
  return table;
}

}  // namespace hearth::kernels
