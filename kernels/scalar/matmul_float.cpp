#include <cstring>

#include "kernels/half.h"
#include "kernels/scalar/matmul.h"

namespace hearth::kernels::scalar {
namespace {

template <QuantType type>
struct Element;

template <>
struct Element<QuantType::F32> {
  using Stored = float;
  static float value(float w) { return w; }
};

template <>
struct Element<QuantType::F16> {
  using Stored = Half;
  static float value(Half w) { return f16_to_f32(w); }
};

template <class Stored>
Stored load(const unsigned char* row, std::size_t i) {
  Stored element;
  std::memcpy(&element, row + i * sizeof element, sizeof element);
  return element;
}

}  // namespace

template <QuantType type>
void multiply_float(const void* panels, std::size_t n_rows, const Strip& x, const MatmulOut& out) {
  using Stored = typename Element<type>::Stored;
  const auto width = static_cast<std::size_t>(x.width);
  for (std::size_t r = 0; r < n_rows; ++r) {
    const auto* row = static_cast<const unsigned char*>(panels) + r * x.length * sizeof(Stored);
    for (std::size_t c = 0; c < static_cast<std::size_t>(x.n_columns); ++c) {
      float acc = 0.0F;
      for (std::size_t k = 0; k < x.length; ++k) {
        const float w = Element<type>::value(load<Stored>(row, k));
        acc = __builtin_fmaf(w, x.floats[k * width + c], acc);
      }
      put(acc, r, c, out);
    }
  }
}

template void multiply_float<QuantType::F32>(const void*, std::size_t, const Strip&,
                                             const MatmulOut&);
template void multiply_float<QuantType::F16>(const void*, std::size_t, const Strip&,
                                             const MatmulOut&);

void multiply_bf16(const void* panels, std::size_t n_rows, const Strip& x, const MatmulOut& out) {
  const auto width = static_cast<std::size_t>(x.width);
  for (std::size_t r = 0; r < n_rows; ++r) {
    const auto* row = static_cast<const unsigned char*>(panels) + r * x.length * sizeof(BFloat16);
    for (std::size_t c = 0; c < static_cast<std::size_t>(x.n_columns); ++c) {
      float acc = 0.0F;
      for (std::size_t k = 0; k < x.length; k += 2) {
        const std::uint32_t pair = x.pairs[k / 2 * width + c];
        const float early = bf16_to_f32(static_cast<BFloat16>(pair & 0xffff));
        const float late = bf16_to_f32(static_cast<BFloat16>(pair >> 16));
        const float w_late = k + 1 < x.length ? bf16_to_f32(load<BFloat16>(row, k + 1)) : 0.0F;
        acc = __builtin_fmaf(w_late, late, acc);
        acc = __builtin_fmaf(bf16_to_f32(load<BFloat16>(row, k)), early, acc);
      }
      put(acc, r, c, out);
    }
  }
}

}  // namespace hearth::kernels::scalar
