// What a device takes of its memory for what it is asked to hold, to the byte: plans are made of
// this before anything is loaded, and without the device.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/device/device.h"

namespace hearth {

/// A matrix as plans know it: without its bytes.
struct MatrixShape {
  QuantType type = QuantType::F32;
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::int64_t n_stacked = 1;
  HostMatrix::Use use = HostMatrix::Use::multiply;
};

/// Pieces are in the order in which the device will be asked for them: that is how they fill its
/// allocations.
class MemoryRules {
 public:
  virtual ~MemoryRules() = default;

  virtual std::vector<std::uint64_t> matrix(const MatrixShape& shape) const = 0;
  virtual std::vector<std::uint64_t> buffer(std::size_t n_floats) const = 0;

  /// Throws Error when the device has no such caches.
  virtual std::vector<std::uint64_t> kv_cache(const KvShape& shape) const = 0;

  /// Whether caches lie in the host's memory, which the device then reads over its bus.
  virtual bool keeps_kv_on_host() const { return false; }

  /// What it needs to work at all, with steps of so many rows: staging, parameters, scratch of its
  /// own.
  virtual std::vector<std::uint64_t> fixed(int n_ubatch) const = 0;

  /// Bytes of the allocations that hold these pieces, what is lost between them included.
  virtual std::uint64_t allocated(std::span<const std::uint64_t> pieces) const = 0;
};

}  // namespace hearth
