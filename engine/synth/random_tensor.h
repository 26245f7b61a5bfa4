// Random tensors as fast as memory can be copied: blocks are picked from a pool.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <tuple>
#include <vector>

#include "base/random.h"
#include "kernels/quant_types.h"

namespace hearth {

class RandomTensors {
 public:
  explicit RandomTensors(std::uint64_t seed) : seed_(seed), random_(seed) {}

  /// rows x columns weights of mean 0 and variance 1 / columns, in blocks of `type`. Valid until
  /// the next call.
  std::span<const std::byte> matrix(QuantType type, std::uint64_t rows, std::uint64_t columns);

  /// n floats, uniform within `width` of `mean`. Valid until the next call.
  std::span<const std::byte> vector(std::uint64_t n, float mean, float width);

 private:
  using PoolKey = std::tuple<QuantType, std::uint64_t>;  // and columns
  const std::vector<std::byte>& pool(QuantType type, std::uint64_t columns);

  std::uint64_t seed_;
  Random random_;
  std::map<PoolKey, std::vector<std::byte>> pools_;
  std::vector<std::byte> buffer_;
};

}  // namespace hearth
