#include "engine/device/device.h"

namespace hearth {

std::uint64_t KvShape::bytes() const {
  std::uint64_t floats = 0;
  for (const Layer& layer : layers) {
    floats += static_cast<std::uint64_t>(n_slots) * static_cast<std::uint64_t>(n_ctx) *
              static_cast<std::uint64_t>(layer.k_columns + layer.v_columns);
  }
  return floats * sizeof(float);
}

void Device::matmuls(std::span<const Product> products, Tensor x) {
  for (const Product& product : products) matmul(product.out, *product.w, x);
}

}  // namespace hearth
