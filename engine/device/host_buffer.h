// Memory of the devices that live in the host's memory, and how they read a Tensor.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <utility>

#include "engine/device/tensor.h"

namespace hearth {

/// Zeroed floats. Large ones take memory only where they are touched: a context's caches cost what
/// is in them.
class HostFloats {
 public:
  explicit HostFloats(std::size_t n)
      : floats_(static_cast<float*>(std::calloc(n > 0 ? n : 1, sizeof(float)))) {
    if (!floats_) throw std::bad_alloc();
  }
  float* data() const { return floats_.get(); }

 private:
  struct Free {
    void operator()(float* floats) const { std::free(floats); }
  };
  std::unique_ptr<float, Free> floats_;
};

class HostBuffer final : public Buffer {
 public:
  explicit HostBuffer(std::size_t n) {
    auto floats = std::make_shared<HostFloats>(n);
    data_ = floats->data();
    owner_ = std::move(floats);
  }
  /// Zeroed floats that live as long as `owner`.
  HostBuffer(std::shared_ptr<void> owner, float* data) : owner_(std::move(owner)), data_(data) {}

  float* data() const { return data_; }

 private:
  std::shared_ptr<void> owner_;
  float* data_ = nullptr;
};

/// Row `i` of a tensor of a host device, [columns].
inline float* row_of(const Tensor& tensor, int i) {
  return static_cast<HostBuffer*>(tensor.buffer)->data() + tensor.offset +
         static_cast<std::size_t>(i) * static_cast<std::size_t>(tensor.stride);
}

/// How often `weight` goes into a row of x. It has one row for all groups, or a row per group.
inline int group_count(const Tensor& x, const Tensor& weight) {
  HEARTH_CHECK(weight.columns > 0 && x.columns % weight.columns == 0);
  const int groups = x.columns / weight.columns;
  HEARTH_CHECK(weight.rows == 1 || weight.rows == groups);
  return groups;
}

}  // namespace hearth
