// What the matrix kernels compute, stated plainly: one row of the matrix and one column of the
// strip after the other. Every level equals this bit for bit (kernels/kernel_table.h).
#pragma once

#include <cstddef>

#include "kernels/kernel_table.h"

namespace hearth::kernels::scalar {

/// Puts row r of column c in its place.
inline void put(float acc, std::size_t r, std::size_t c, const MatmulOut& out) {
  if (out.bias) acc += out.bias[r];
  if (out.sums) {
    out.sums[c * out.sum_stride + r] += acc;
  } else {
    out.at[c * out.stride + r] = acc;
  }
}

/// For every quantised type; the panel's rows are those of the file. `acc` starts at 0, and for
/// each block of the row in order, with q the integers of both sides:
///
///   T = U = 0, and for each scale s of x in the block (32 or 128 elements), in order:
///     t = float(sum over sub-blocks of scale * sum of q_w q_x)
///     u = float(sum over sub-blocks of min * sum of q_x)
///     T = fma(s, t, T),  U = fma(s, u, U)
///   acc = fma(d, T, fma(m, U, acc)), without the inner fma where the type has no minima; m is
///   -dmin in the K types
///
/// Last comes what MatmulOut adds: acc + bias, and sums + that.
///
/// The sums in t and u are whole numbers, below 2^31, and rounded once. A level that adds floats
/// has the same bits as long as no sum can reach 2^24 (generic/codec.h).
///
/// The plain types are one sub-block with scale 1 (and min 1); sub-blocks have 16 elements in Q2_K,
/// Q3_K and Q6_K, else 32.
template <QuantType type>
void multiply(const void* panels, std::size_t n_rows, const Strip& x, const MatmulOut& out);

/// F32 and F16: acc = fma(w[k], x[k], acc) for k in order.
template <QuantType type>
void multiply_float(const void* panels, std::size_t n_rows, const Strip& x, const MatmulOut& out);

/// BF16 with x rounded to bfloat16: for each pair of elements, the later one first:
/// acc = fma(w[k], x[k], fma(w[k + 1], x[k + 1], acc)). That is what the vdpbf16ps instruction does
/// (but for subnormal numbers, which it takes for zero).
void multiply_bf16(const void* panels, std::size_t n_rows, const Strip& x, const MatmulOut& out);

}  // namespace hearth::kernels::scalar
