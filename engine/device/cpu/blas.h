// OpenBLAS, where the machine has it: for float matrices and many tokens. It is looked for when the
// program runs, so that one build serves machines with it and without.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "kernels/quant_types.h"

namespace hearth {

/// When a product goes to OpenBLAS. It has an order of its own to add things up, which depends on
/// the number of tokens: the promise of equal bits holds with `off` only.
enum class UseBlas : std::uint8_t {
  off,
  automatic,  // where it is there and was measured to be faster
  on,         // every float matrix with kLeastBlasTokens tokens or more
};

/// With fewer, reading four bytes for each weight takes longer than multiplying.
inline constexpr int kLeastBlasTokens = 32;

class Blas {
 public:
  /// The library, loaded by the first call; nullptr if this machine has none.
  static const Blas* find();

  /// What it says of itself: version, and what it is built for.
  std::string description() const;

  /// out [n][n_rows] = x [n][n_columns] times the transpose of w [n_rows][n_columns]. Strides are
  /// in floats, from a row to the next. Works on the calling thread alone; several may call.
  void multiply(const float* w, int n_rows, int n_columns, const float* x, int x_stride, int n,
                float* out, int out_stride) const;

 private:
  using Sgemm = void (*)(int order, int transpose_a, int transpose_b, int m, int n, int k,
                         float alpha, const float* a, int lda, const float* b, int ldb, float beta,
                         float* c, int ldc);
  Sgemm sgemm_ = nullptr;
  const char* (*config_)() = nullptr;
};

/// The library if `use` asks for it and it is there. Throws Error for `on` without it.
const Blas* find_blas(UseBlas use);

/// Whether a matrix of this type goes to OpenBLAS in a step of n_tokens.
bool is_for_blas(UseBlas use, QuantType type, std::int64_t n_columns, int n_tokens);

}  // namespace hearth
