// The kernels as one table of function pointers. scalar/ fills every slot; a faster level
// overwrites the slots that it improves (kernels/dispatch.h builds the table). Take a pointer out
// of the table before a loop, not inside it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/attention.h"
#include "kernels/quant_types.h"
#include "kernels/row_kernels.h"
#include "kernels/strips.h"
#include "kernels/vector_kernels.h"

namespace hearth::kernels {

/// Turns a row of `n` quantised elements into floats. `n` is a multiple of the type's block; `row`
/// needs no alignment; `out` is [n] and does not overlap it.
using DequantizeRow = void (*)(const void* row, float* out, std::size_t n);

/// Turns `n` floats, a multiple of the type's block, into row_bytes(type, n) bytes at `out`.
/// The same input gives the same bytes on every machine and at every level.
using QuantizeRow = void (*)(const float* row, void* out, std::size_t n);

/// Where a product goes, and what is added to it while it is in registers. Nothing is aligned.
struct MatmulOut {
  float* at = nullptr;  // [columns][stride]; with sums, room that is left as it was
  std::size_t stride = 0;
  const float* bias = nullptr;  // [rows], added to every column, if there is one
  float* sums = nullptr;        // [columns][sum_stride]: what product and bias are added to instead
  std::size_t sum_stride = 0;
};

/// out.at[c * out.stride + r] = row r of the matrix . column c of the strip + out.bias[r], for
/// n_rows rows that stand in panels one after the other, and x.n_columns columns; with sums,
/// out.sums[c * out.sum_stride + r] += that. n_rows need not be a multiple of the panel's lanes.
/// columns == x.length. panels and the strip are aligned to 64 bytes. The order of operations is
/// that of scalar/matmul.cpp (floats: scalar/matmul_float.cpp), bit for bit, whatever the number of
/// rows and columns.
using MultiplyPanels = void (*)(const void* panels, std::size_t n_rows, const Strip& x,
                                const MatmulOut& out);

struct MatmulKernel {
  int lanes = 0;                     // rows per panel (kernels/panels.h)
  StripKind strip = StripKind::f32;  // what it multiplies with
  MultiplyPanels multiply = nullptr;
};

// The levels' files use these, so they are inlined even without optimisation: a copy that was
// compiled for a level must not become everyone's.

/// One slot per quant type. A type that is no weight (QuantTypeInfo::is_weight) has nullptr.
template <class Function>
class PerType {
 public:
  [[gnu::always_inline]] const Function& operator[](QuantType type) const {
    return slots_[static_cast<std::uint32_t>(type)];
  }
  [[gnu::always_inline]] Function& operator[](QuantType type) {
    return slots_[static_cast<std::uint32_t>(type)];
  }

 private:
  Function slots_[kQuantTypeSlots] = {};
};

/// One slot per kind of strip.
class PerStripKind {
 public:
  [[gnu::always_inline]] FillStrip operator[](StripKind kind) const {
    return slots_[static_cast<int>(kind)];
  }
  [[gnu::always_inline]] FillStrip& operator[](StripKind kind) {
    return slots_[static_cast<int>(kind)];
  }

 private:
  FillStrip slots_[kStripKinds] = {};
};

/// A loop that keeps one kind of arithmetic as busy as this machine can, on registers alone: what
/// no kernel can exceed. `run` does so many rounds; what it returns is of no interest.
struct BusyLoop {
  std::uint64_t (*run)(std::uint64_t rounds) = nullptr;
  std::uint64_t operations = 0;  // in a round; a multiplication and its addition are two
};

/// Reads every byte once, in several streams, as fast as memory gives them; the exclusive or of all
/// 64-bit words. `memory` is aligned to 64 bytes, `bytes` a multiple of 1024.
using ReadMemory = std::uint64_t (*)(const void* memory, std::size_t bytes);

struct KernelTable {
  PerType<DequantizeRow> dequantize_row;
  PerType<QuantizeRow> quantize_row;
  PerType<MatmulKernel> matmul;
  /// The same panels on wide strips. multiply is nullptr where there is nothing of the kind.
  PerType<MatmulKernel> wide_matmul;
  PerStripKind fill_strip;
  RowKernels rows;
  BusyLoop busy_int8;  // dot products of 8-bit integers
  BusyLoop busy_fma;   // float multiply-adds
  BusyLoop busy_bf16;  // dot products of bfloat16; the float loop where there is no instruction
  ReadMemory read_memory = nullptr;
  AttentionKernels attention;
  VectorKernels vectors;

  /// The kernel for so many columns at once: a wide strip where they do not fit into a strip.
  const MatmulKernel& matmul_for(QuantType type, int n_columns) const {
    const bool is_wide = n_columns > kStripColumns && wide_matmul[type].multiply != nullptr;
    return is_wide ? wide_matmul[type] : matmul[type];
  }
};

}  // namespace hearth::kernels
