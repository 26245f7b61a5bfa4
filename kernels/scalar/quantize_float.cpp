// F32, F16, BF16: every element by itself, rounded to nearest, ties to even. NaN and infinities
// stay what they are; what is too large for a half becomes infinite.
#include <cstring>

#include "kernels/half.h"
#include "kernels/scalar/quantize.h"

namespace hearth::kernels::scalar {
namespace {

template <class Element, Element (*from_float)(float)>
void quantize_elements(const float* row, void* out, std::size_t n) {
  auto* bytes = static_cast<std::byte*>(out);
  for (std::size_t i = 0; i < n; ++i) {
    const Element element = from_float(row[i]);
    std::memcpy(bytes + i * sizeof(Element), &element, sizeof(Element));
  }
}

}  // namespace

void quantize_row_f32(const float* row, void* out, std::size_t n) {
  if (n > 0) std::memcpy(out, row, n * sizeof(float));
}

void quantize_row_f16(const float* row, void* out, std::size_t n) {
  quantize_elements<Half, f32_to_f16>(row, out, n);
}

void quantize_row_bf16(const float* row, void* out, std::size_t n) {
  quantize_elements<BFloat16, f32_to_bf16>(row, out, n);
}

}  // namespace hearth::kernels::scalar
