// Rows of numbers in a device's memory, for tests of its verbs.
#pragma once

#include <memory>
#include <vector>

#include "engine/device/device.h"

namespace hearth::test {

using Rows = std::vector<std::vector<float>>;

/// A tensor with memory of its own.
struct Owned {
  Owned(Device& device, const Rows& rows, std::string_view name = "t") : device_(device) {
    const auto columns = static_cast<int>(rows.front().size());
    buffer_ = device.allocate(rows.size() * rows.front().size());
    view = {.buffer = buffer_.get(),
            .rows = static_cast<int>(rows.size()),
            .columns = columns,
            .stride = columns,
            .name = name};
    std::vector<float> flat;
    for (const auto& row : rows) flat.insert(flat.end(), row.begin(), row.end());
    device.upload(view, flat);
  }
  Owned(Device& device, int rows, int columns)
      : Owned(device, Rows(static_cast<std::size_t>(rows),
                           std::vector<float>(static_cast<std::size_t>(columns)))) {}

  Rows values() const {
    std::vector<float> flat(static_cast<std::size_t>(view.rows) *
                            static_cast<std::size_t>(view.columns));
    device_.download(flat, view);
    Rows rows;
    for (int i = 0; i < view.rows; ++i) {
      rows.emplace_back(flat.begin() + i * view.columns, flat.begin() + (i + 1) * view.columns);
    }
    return rows;
  }

  Tensor view;

 private:
  Device& device_;
  std::unique_ptr<Buffer> buffer_;
};

/// A matrix of floats and the bytes it needs while it lives.
struct Weights {
  Weights(Device& device, const Rows& rows) {
    for (const auto& row : rows) flat.insert(flat.end(), row.begin(), row.end());
    matrix = device.load({.name = "w",
                          .type = QuantType::F32,
                          .rows = static_cast<std::int64_t>(rows.size()),
                          .columns = static_cast<std::int64_t>(rows.front().size()),
                          .data = std::as_bytes(std::span(flat))});
  }
  std::vector<float> flat;
  std::unique_ptr<Matrix> matrix;
};

}  // namespace hearth::test
