// A model's tensors for forward passes that are written out in double once more.
#pragma once

#include <cstring>
#include <numeric>
#include <string>
#include <vector>

#include "gguf/reader.h"

namespace hearth::test {

using Row = std::vector<double>;
using Table = std::vector<Row>;

inline double dot(const Row& a, const Row& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

inline Row operator+(Row a, const Row& b) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] += b[i];
  return a;
}

/// Of a file whose tensors are all F32.
class TensorTables {
 public:
  explicit TensorTables(const gguf::Reader& file) : file_(file) {}

  bool has(const std::string& name) const { return file_.find_tensor(name) != nullptr; }

  /// The rows of a tensor that is there, whatever its dimensions.
  Table table(const std::string& name) const {
    const gguf::Tensor& tensor = *file_.find_tensor(name);
    std::vector<float> floats(tensor.elements());
    std::memcpy(floats.data(), tensor.data.data(), tensor.data.size());
    Table rows;
    for (std::size_t r = 0; r < tensor.rows(); ++r) {
      const auto first = floats.begin() + static_cast<std::ptrdiff_t>(r * tensor.columns());
      rows.emplace_back(first, first + static_cast<std::ptrdiff_t>(tensor.columns()));
    }
    return rows;
  }

  /// W x + b, without b where there is none.
  Row product(const std::string& name, const Row& x) const {
    Row y;
    for (const Row& row : table(name + ".weight")) y.push_back(dot(row, x));
    return has(name + ".bias") ? y + table(name + ".bias")[0] : y;
  }

 private:
  const gguf::Reader& file_;
};

}  // namespace hearth::test
