#include "engine/synth/random_tensor.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/dispatch.h"

namespace hearth {
namespace {

constexpr std::size_t kPoolElements = std::size_t{1} << 18;
/// Consecutive elements of the pool that a row takes at a time: enough for speed, few enough that
/// no two rows of a matrix are alike.
constexpr std::uint64_t kRunElements = 1024;

/// Nearly normal, of variance 1: the sum of twelve uniform numbers, exact in double.
double normal(Random& random) {
  double sum = -6.0;
  for (int i = 0; i < 12; ++i) sum += static_cast<double>(random.bits32()) * 0x1p-32;
  return sum;
}

/// A number below `n`, which is small beside 2^32.
std::uint64_t below(Random& random, std::uint64_t n) {
  return (random.bits32() * n) >> 32;
}

}  // namespace

const std::vector<std::byte>& RandomTensors::pool(QuantType type, std::uint64_t columns) {
  std::vector<std::byte>& blocks = pools_[{type, columns}];
  if (!blocks.empty()) return blocks;
  Random random(seed_, columns * kQuantTypeSlots + static_cast<std::uint64_t>(type));
  const double width = 1.0 / std::sqrt(static_cast<double>(columns));
  std::vector<float> weights(kPoolElements);
  for (float& weight : weights) weight = static_cast<float>(width * normal(random));
  blocks.resize(row_bytes(quant_type_info(type), kPoolElements));
  kernels::best_kernels().quantize_row[type](weights.data(), blocks.data(), kPoolElements);
  return blocks;
}

std::span<const std::byte> RandomTensors::matrix(QuantType type, std::uint64_t rows,
                                                 std::uint64_t columns) {
  const std::vector<std::byte>& blocks = pool(type, columns);
  const QuantTypeInfo& info = quant_type_info(type);
  const std::uint64_t n_blocks = kPoolElements / info.block_elements;
  const std::uint64_t row = columns / info.block_elements;
  const std::uint64_t run = std::min(row, kRunElements / info.block_elements);
  buffer_.resize(rows * row * info.block_bytes);
  std::byte* out = buffer_.data();
  for (std::uint64_t r = 0; r < rows; ++r) {
    for (std::uint64_t left = row; left > 0;) {
      const std::uint64_t n = std::min(left, run);
      const std::uint64_t first = below(random_, n_blocks - n + 1);
      std::memcpy(out, blocks.data() + first * info.block_bytes, n * info.block_bytes);
      out += n * info.block_bytes;
      left -= n;
    }
  }
  return buffer_;
}

std::span<const std::byte> RandomTensors::vector(std::uint64_t n, float mean, float width) {
  buffer_.resize(n * sizeof(float));
  for (std::uint64_t i = 0; i < n; ++i) {
    const auto value = static_cast<float>(mean + width * (2.0 * random_.uniform() - 1.0));
    std::memcpy(buffer_.data() + i * sizeof(float), &value, sizeof(float));
  }
  return buffer_;
}

}  // namespace hearth
