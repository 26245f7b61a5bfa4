#include "engine/device/device.h"

namespace hearth {

std::uint64_t KvShape::bytes() const {
  const auto row = [&](int columns) {
    return row_bytes(quant_type_info(type), static_cast<std::size_t>(columns));
  };
  std::uint64_t of_a_position = 0;
  for (const Layer& layer : layers) of_a_position += row(layer.k_columns) + row(layer.v_columns);
  return of_a_position * static_cast<std::uint64_t>(n_slots) * static_cast<std::uint64_t>(n_ctx);
}

int KvCache::first_kept(int, int) const {
  return 0;
}

void Device::reserve(std::span<const std::uint64_t>, int) {}

void Device::matmuls(std::span<const Product> products, Tensor x) {
  for (const Product& product : products) matmul(product.out, *product.w, x);
}

}  // namespace hearth
