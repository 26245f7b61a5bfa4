// The kernels as one table of function pointers. scalar/ fills every slot; a faster level
// overwrites the slots that it improves (kernels/dispatch.h builds the table). Take a pointer out
// of the table before a loop, not inside it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/quant_types.h"

namespace hearth::kernels {

/// Turns a row of `n` quantised elements into floats. `n` is a multiple of the type's block; `row`
/// needs no alignment; `out` is [n] and does not overlap it.
using DequantizeRow = void (*)(const void* row, float* out, std::size_t n);

/// Turns `n` floats, a multiple of the type's block, into row_bytes(type, n) bytes at `out`.
/// The same input gives the same bytes on every machine and at every level.
using QuantizeRow = void (*)(const float* row, void* out, std::size_t n);

/// One slot per quant type. A type that is no weight (QuantTypeInfo::is_weight) has nullptr.
template <class Function>
class PerType {
 public:
  Function operator[](QuantType type) const { return slots_[static_cast<std::uint32_t>(type)]; }
  Function& operator[](QuantType type) { return slots_[static_cast<std::uint32_t>(type)]; }

 private:
  Function slots_[kQuantTypeSlots] = {};
};

struct KernelTable {
  PerType<DequantizeRow> dequantize_row;
  PerType<QuantizeRow> quantize_row;
};

}  // namespace hearth::kernels
