#include "kernels/scalar/matmul.h"

#include "kernels/scalar/block_integers.h"

namespace hearth::kernels::scalar {
namespace {

struct Sums {
  float t;
  float u;
};

/// Sub-blocks [first, last) of a block times the same elements of a column, which begin at `start`.
Sums multiply_sub_blocks(const BlockIntegers& w, int first, int last, const Strip& x,
                         std::size_t start, int c) {
  int sum = 0;
  int min_sum = 0;
  for (int s = first; s < last; ++s) {
    int products = 0;
    int quants = 0;
    for (int i = s * w.sub_block; i < (s + 1) * w.sub_block; ++i) {
      const int q = x.quants[quant_index(x, start + static_cast<std::size_t>(i), c)];
      products += w.q[i] * q;
      quants += q;
    }
    sum += w.scale[s] * products;
    min_sum += w.min[s] * quants;
  }
  return {static_cast<float>(sum), static_cast<float>(min_sum)};
}

/// acc + one block of a row times the elements of a column from `start` on.
float multiply_block(const BlockIntegers& w, const Strip& x, std::size_t start, int c, float acc) {
  const auto scaled = static_cast<int>(scale_block(x.kind));
  const int sub_blocks = scaled / w.sub_block;
  float t = 0.0F;
  float u = 0.0F;
  for (int part = 0; part < w.n / scaled; ++part) {
    const Sums sums =
        multiply_sub_blocks(w, part * sub_blocks, (part + 1) * sub_blocks, x, start, c);
    const std::size_t row =
        start / static_cast<std::size_t>(scaled) + static_cast<std::size_t>(part);
    const float scale =
        x.scales[row * static_cast<std::size_t>(x.width) + static_cast<std::size_t>(c)];
    t = __builtin_fmaf(scale, sums.t, t);
    u = __builtin_fmaf(scale, sums.u, u);
  }
  if (w.has_min) acc = __builtin_fmaf(w.m, u, acc);
  return __builtin_fmaf(w.d, t, acc);
}

}  // namespace

template <QuantType type>
void multiply(const void* panels, std::size_t n_rows, const Strip& x, const MatmulOut& out) {
  const QuantTypeInfo& info = quant_type_info(type);
  const auto* block = static_cast<const unsigned char*>(panels);
  for (std::size_t r = 0; r < n_rows; ++r) {
    float acc[kStripColumns] = {};
    for (std::size_t b = 0; b < x.length / info.block_elements; ++b, block += info.block_bytes) {
      BlockIntegers w;
      read_block<type>(block, w);
      for (int c = 0; c < x.n_columns; ++c) {
        acc[c] = multiply_block(w, x, b * info.block_elements, c, acc[c]);
      }
    }
    for (int c = 0; c < x.n_columns; ++c) put(acc[c], r, static_cast<std::size_t>(c), out);
  }
}

template void multiply<QuantType::Q4_0>(const void*, std::size_t, const Strip&, const MatmulOut&);
template void multiply<QuantType::Q4_1>(const void*, std::size_t, const Strip&, const MatmulOut&);
template void multiply<QuantType::Q5_0>(const void*, std::size_t, const Strip&, const MatmulOut&);
template void multiply<QuantType::Q5_1>(const void*, std::size_t, const Strip&, const MatmulOut&);
template void multiply<QuantType::Q8_0>(const void*, std::size_t, const Strip&, const MatmulOut&);
template void multiply<QuantType::Q2_K>(const void*, std::size_t, const Strip&, const MatmulOut&);
template void multiply<QuantType::Q3_K>(const void*, std::size_t, const Strip&, const MatmulOut&);
template void multiply<QuantType::Q4_K>(const void*, std::size_t, const Strip&, const MatmulOut&);
template void multiply<QuantType::Q5_K>(const void*, std::size_t, const Strip&, const MatmulOut&);
template void multiply<QuantType::Q6_K>(const void*, std::size_t, const Strip&, const MatmulOut&);
template void multiply<QuantType::IQ4_NL>(const void*, std::size_t, const Strip&, const MatmulOut&);
template void multiply<QuantType::IQ4_XS>(const void*, std::size_t, const Strip&, const MatmulOut&);
template void multiply<QuantType::MXFP4>(const void*, std::size_t, const Strip&, const MatmulOut&);

}  // namespace hearth::kernels::scalar
