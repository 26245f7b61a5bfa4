#include "engine/quantize/convert_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
#include <limits>
#include <string>
#include <thread>

#include "base/error.h"
#include "kernels/dispatch.h"

namespace hearth {
namespace {

constexpr std::uint64_t kChunkElements = 64 * 1024;  // what a thread takes at a time
constexpr std::uint64_t kNoRow = std::numeric_limits<std::uint64_t>::max();

/// What a type can hold: F32 and BF16 everything, F16 what does not round to infinity, blocks
/// finite numbers.
struct Acceptance {
  float limit;      // magnitudes must be below
  bool non_finite;  // NaN and infinity are kept
};

Acceptance acceptance(QuantType to) {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  if (to == QuantType::F32 || to == QuantType::BF16) return {kInf, true};
  if (to == QuantType::F16) return {65520.0f, true};
  return {kInf, false};
}

bool accepts(const Acceptance& rule, std::span<const float> row) {
  bool good = true;
  for (const float v : row) {
    const float magnitude = std::fabs(v);
    const bool is_finite = magnitude < std::numeric_limits<float>::infinity();
    good &= is_finite ? magnitude < rule.limit : rule.non_finite;
  }
  return good;
}

/// A thread's rows.
struct Scratch {
  std::vector<float> row;
  std::vector<float> result;  // dequantised again, to measure the error; empty otherwise
};

class Conversion {
 public:
  Conversion(const gguf::Tensor& tensor, QuantType to, std::byte* out, bool measure_error)
      : tensor_(tensor),
        to_(to),
        out_(out),
        measure_error_(measure_error),
        acceptance_(acceptance(to)),
        chunk_rows_(std::max<std::uint64_t>(kChunkElements / tensor.columns(), 1)),
        n_chunks_((tensor.rows() + chunk_rows_ - 1) / chunk_rows_),
        sums_(n_chunks_) {}

  std::uint64_t chunks() const { return n_chunks_; }
  std::uint64_t rows_done() const { return rows_done_; }
  void stop() { stopped_ = true; }

  Scratch scratch() const {
    const std::size_t n = tensor_.columns();
    return {std::vector<float>(n), std::vector<float>(measure_error_ ? n : 0)};
  }

  /// Takes the next chunk and converts it; false when there is none left.
  bool work(Scratch& scratch) {
    const std::uint64_t chunk = next_++;
    if (chunk >= n_chunks_ || stopped_) return false;
    const std::uint64_t first = chunk * chunk_rows_;
    const std::uint64_t last = std::min(first + chunk_rows_, tensor_.rows());
    for (std::uint64_t r = first; r < last; ++r) convert_row(r, scratch, sums_[chunk]);
    rows_done_ += last - first;
    return true;
  }

  ErrorSums sums() const {
    ErrorSums total;
    for (const ErrorSums& chunk : sums_) {
      total.error += chunk.error;
      total.power += chunk.power;
    }
    return total;
  }

  /// Throws Error if a row could not be held.
  void check() const {
    const std::uint64_t row = bad_row_;
    if (row == kNoRow) return;
    const std::string_view type = quant_type_info(to_).name;
    throw Error({std::string(tensor_.name),
                 fmt::format("row {} has a value that {} cannot hold", row, type),
                 to_ == QuantType::F16 ? "magnitudes below 65520 (BF16 holds larger ones)"
                                       : "finite numbers: the model file is damaged or was not "
                                         "trained to the end",
                 ""});
  }

 private:
  void convert_row(std::uint64_t r, Scratch& scratch, ErrorSums& sums) {
    const kernels::KernelTable& table = kernels::best_kernels();
    const std::uint64_t n = tensor_.columns();
    const std::byte* source = tensor_.data.data() + r * row_bytes(quant_type_info(tensor_.type), n);
    std::byte* target = out_ + r * row_bytes(quant_type_info(to_), n);
    table.dequantize_row[tensor_.type](source, scratch.row.data(), n);
    if (!accepts(acceptance_, scratch.row)) {
      std::uint64_t known = bad_row_;
      while (r < known && !bad_row_.compare_exchange_weak(known, r)) {
      }
      return;
    }
    table.quantize_row[to_](scratch.row.data(), target, n);
    if (!measure_error_) return;
    table.dequantize_row[to_](target, scratch.result.data(), n);
    for (std::uint64_t i = 0; i < n; ++i) {
      const double x = scratch.row[i];
      const double off = x - scratch.result[i];
      sums.error += off * off;
      sums.power += x * x;
    }
  }

  const gguf::Tensor& tensor_;
  QuantType to_;
  std::byte* out_;
  bool measure_error_;
  Acceptance acceptance_;
  std::uint64_t chunk_rows_;
  std::uint64_t n_chunks_;
  std::vector<ErrorSums> sums_;  // by chunk
  std::atomic<std::uint64_t> next_ = 0;
  std::atomic<std::uint64_t> rows_done_ = 0;
  std::atomic<std::uint64_t> bad_row_ = kNoRow;
  std::atomic<bool> stopped_ = false;
};

/// Threads that share the chunks of a conversion with the caller. The destructor joins them, and
/// lets them stop early if the caller leaves by an exception.
class Helpers {
 public:
  Helpers(Conversion& conversion, std::size_t n)
      : conversion_(conversion), n_exceptions_(std::uncaught_exceptions()) {
    // allocated here, where running out of memory can be caught
    scratch_.assign(n, conversion.scratch());
    for (Scratch& scratch : scratch_) {
      threads_.emplace_back([&conversion, &scratch] {
        while (conversion.work(scratch)) {
        }
      });
    }
  }
  ~Helpers() {
    if (std::uncaught_exceptions() > n_exceptions_) conversion_.stop();
  }
  Helpers(const Helpers&) = delete;
  Helpers& operator=(const Helpers&) = delete;

 private:
  Conversion& conversion_;
  int n_exceptions_;
  std::vector<Scratch> scratch_;
  std::vector<std::jthread> threads_;  // last: joined before the rest goes
};

}  // namespace

ErrorSums convert_rows(const gguf::Tensor& tensor, QuantType to, std::vector<std::byte>& out,
                       const ConvertOptions& options,
                       const std::function<void(std::uint64_t rows)>& on_rows) {
  out.resize(tensor.rows() * row_bytes(quant_type_info(to), tensor.columns()));
  if (tensor.elements() == 0) return {};
  Conversion conversion(tensor, to, out.data(), options.measure_error);
  {
    const auto wanted = static_cast<std::uint64_t>(std::max(options.n_threads, 1));
    Scratch scratch = conversion.scratch();
    const Helpers helpers(conversion, std::min(wanted, conversion.chunks()) - 1);
    while (conversion.work(scratch)) on_rows(conversion.rows_done());
  }
  conversion.check();
  on_rows(tensor.rows());
  return conversion.sums();
}

}  // namespace hearth
