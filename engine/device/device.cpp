#include "engine/device/device.h"

#include <limits>

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

void Device::reserve(const Reservation&) {}

std::vector<std::int32_t> Device::argmax(Tensor x) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const auto columns = static_cast<std::size_t>(x.columns);
  std::vector<float> values(static_cast<std::size_t>(x.rows) * columns);
  download(values, x);
  std::vector<std::int32_t> best(static_cast<std::size_t>(x.rows), -1);
  for (std::size_t row = 0; row < best.size(); ++row) {
    const float* value = values.data() + row * columns;
    float highest = -kInfinity;
    bool is_number = true;
    for (std::size_t i = 0; i < columns; ++i) {
      is_number = is_number && value[i] < kInfinity;
      if (!(value[i] > highest)) continue;
      highest = value[i];
      best[row] = static_cast<std::int32_t>(i);
    }
    if (!is_number) best[row] = -1;
  }
  return best;
}

void Device::matmuls(std::span<const Product> products, Tensor x) {
  for (const Product& product : products) {
    matmul(product.out, *product.w, x);
    apply_epilogue(product);
  }
}

void Device::gated_matmul(const Product& gate, const Product& up, Tensor x, Activation activation) {
  const Product products[] = {gate, up};
  matmuls(products, x);
  glu(up.out, gate.out, up.out, activation);
}

void Device::rope_and_store(Tensor q, Tensor k, Tensor v, const Rope& rope, KvCache& cache,
                            int layer) {
  this->rope(q, rope);
  this->rope(k, rope);
  kv_store(cache, layer, k, v);
}

void Device::apply_epilogue(const Product& product) {
  const Tensor& out = product.out;
  if (product.bias) add(out, out, product.bias);
  if (product.activation) activation(out, out, *product.activation);
  if (product.sum) add(product.sum, product.sum, out);
}

}  // namespace hearth
