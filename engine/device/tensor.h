// What a device's verbs work on: views of float rows in a device's memory, and weight matrices in
// whatever layout the device chose for them. Neither is touched by anyone but the device.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "kernels/quant_types.h"

namespace hearth {

/// A piece of one device's memory. Each device derives its own.
class Buffer {
 public:
  Buffer() = default;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  virtual ~Buffer() = default;
};

/// A view of float32 [rows][columns] in a buffer, rows `stride` floats apart. Does not own.
struct Tensor {
  Buffer* buffer = nullptr;
  std::size_t offset = 0;  // floats from the start of the buffer
  int rows = 0;
  int columns = 0;
  int stride = 0;         // floats, at least `columns`
  std::string_view name;  // for traces and checks; outlives the view

  explicit operator bool() const { return buffer != nullptr; }

  /// Rows [0, n).
  Tensor first_rows(int n) const { return row_range(0, n); }

  /// Rows [first, first + n).
  Tensor row_range(int first, int n) const {
    HEARTH_CHECK(first >= 0 && n >= 0 && first + n <= rows);
    Tensor part = *this;
    part.offset += static_cast<std::size_t>(first) * static_cast<std::size_t>(stride);
    part.rows = n;
    return part;
  }

  /// Columns [first, first + n) of every row.
  Tensor column_range(int first, int n, std::string_view part_name) const {
    HEARTH_CHECK(first >= 0 && n >= 0 && first + n <= columns);
    Tensor part = *this;
    part.offset += static_cast<std::size_t>(first);
    part.columns = n;
    part.name = part_name;
    return part;
  }
};

/// A weight matrix as it comes from a file: rows of `columns` quantised elements, one after the
/// other. Experts are stacked: expert e has rows [e * rows / n, (e + 1) * rows / n).
struct HostMatrix {
  enum class Use : std::uint8_t { multiply, rows };  // rows: get_rows only

  std::string_view name;
  QuantType type = QuantType::F32;
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::span<const std::byte> data;  // must outlive the device's matrix
  std::int64_t n_stacked = 1;       // matrices that are stacked in it
  Use use = Use::multiply;
  bool is_mapped_file = false;  // its pages may be dropped: the file has them
};

/// A weight matrix in a device's own layout.
class Matrix {
 public:
  Matrix(std::string_view name, std::int64_t rows, std::int64_t columns)
      : name_(name), rows_(rows), columns_(columns) {}
  Matrix(const Matrix&) = delete;
  Matrix& operator=(const Matrix&) = delete;
  virtual ~Matrix() = default;

  const std::string& name() const { return name_; }
  std::int64_t rows() const { return rows_; }
  std::int64_t columns() const { return columns_; }

 private:
  std::string name_;
  std::int64_t rows_;
  std::int64_t columns_;
};

}  // namespace hearth
