// One tensor from one quant type to another, on several threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "gguf/reader.h"
#include "kernels/quant_types.h"

namespace hearth {

struct ConvertOptions {
  int n_threads = 1;
  bool measure_error = false;
};

/// Sums over a tensor, for NMSE.
struct ErrorSums {
  double error = 0;  // sum (x - y)^2
  double power = 0;  // sum x^2
};

/// Fills `out` with `tensor` in type `to`. Rows are independent and sums are added in the order of
/// the rows, so nothing depends on the number of threads. `on_rows(rows)` is called on this thread
/// now and then with the rows finished so far; when it throws, the work stops and the exception
/// passes. Throws Error, naming tensor and row, for a value that `to` cannot hold.
ErrorSums convert_rows(const gguf::Tensor& tensor, QuantType to, std::vector<std::byte>& out,
                       const ConvertOptions& options,
                       const std::function<void(std::uint64_t rows)>& on_rows);

}  // namespace hearth
