#include "bench/blas_sgemm.h"

#include <cblas.h>

namespace hearth::bench {

bool has_blas() {
  return true;
}

void blas_sgemm(const float* w, int rows, int columns, const float* x, int n, float* out,
                int n_threads) {
  openblas_set_num_threads(n_threads);
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, n, rows, columns, 1.0F, x, columns, w,
              columns, 0.0F, out, rows);
}

}  // namespace hearth::bench
