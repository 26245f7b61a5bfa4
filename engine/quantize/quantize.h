// GGUF to GGUF in other types. Tensors go through one at a time, row by row: memory is one tensor
// of the result and two rows per thread, whatever the size of the model.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/progress.h"
#include "engine/quantize/mix.h"
#include "gguf/reader.h"

namespace hearth {

struct QuantizeOptions {
  int n_threads = 1;
  bool allow_requantize = false;  // take weights that have lost precision already
  bool measure_error = false;     // fill TensorReport::nmse
};

struct TensorReport {
  std::string name;
  QuantType from;
  QuantType to;
  TypeReason reason;
  std::uint64_t elements = 0;
  std::uint64_t bytes = 0;     // in the result
  std::optional<double> nmse;  // sum (x - y)^2 / sum x^2 of input and result; of converted tensors
};

struct QuantizeReport {
  std::uint64_t bytes_in = 0;  // of the files
  std::uint64_t bytes_out = 0;
  std::vector<TensorReport> tensors;  // in the order of the file
};

/// Writes `in` to `out` with the types of `mix`. The result is the same for every number of
/// threads. `progress` counts elements and is called from this thread. Throws Error if a tensor is
/// quantised already (unless allowed), if it holds NaN or infinity or what the type cannot hold, or
/// if `out` is the input or cannot be written; Cancelled. Then there is no file at `out`.
QuantizeReport quantize_model(const gguf::Reader& in, const std::filesystem::path& out,
                              const Mix& mix, const QuantizeOptions& options,
                              const ProgressFn& progress = {});

}  // namespace hearth
