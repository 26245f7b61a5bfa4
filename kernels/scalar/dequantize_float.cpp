// F32, F16, BF16: every element by itself.
#include <cstring>

#include "kernels/half.h"
#include "kernels/scalar/dequantize.h"

namespace hearth::kernels::scalar {
namespace {

template <class Element, float (*to_float)(Element)>
void dequantize_elements(const void* row, float* out, std::size_t n) {
  const auto* bytes = static_cast<const std::byte*>(row);
  for (std::size_t i = 0; i < n; ++i) {
    Element element;
    std::memcpy(&element, bytes + i * sizeof(Element), sizeof(Element));
    out[i] = to_float(element);
  }
}

}  // namespace

void dequantize_row_f32(const void* row, float* out, std::size_t n) {
  if (n > 0) std::memcpy(out, row, n * sizeof(float));
}

void dequantize_row_f16(const void* row, float* out, std::size_t n) {
  dequantize_elements<Half, f16_to_f32>(row, out, n);
}

void dequantize_row_bf16(const void* row, float* out, std::size_t n) {
  dequantize_elements<BFloat16, bf16_to_f32>(row, out, n);
}

}  // namespace hearth::kernels::scalar
