// OpenBLAS as a yardstick, if the build has it.
#pragma once

namespace hearth::bench {

bool has_blas();

/// out [n][rows] = x [n][columns] times the transpose of w [rows][columns].
void blas_sgemm(const float* w, int rows, int columns, const float* x, int n, float* out,
                int n_threads);

}  // namespace hearth::bench
