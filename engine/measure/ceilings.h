// What this machine can do at most: the yardstick of every benchmark.
#pragma once

#include <cstddef>
#include <memory>

#include "engine/device/thread_pool.h"
#include "kernels/kernel_table.h"

namespace hearth {

/// Per second, with all threads at once. A multiplication and its addition are two operations.
struct Ceilings {
  double int8 = 0;  // dot products of 8-bit integers
  double bf16 = 0;  // dot products of bfloat16; floats where there is no instruction for them
  double fma = 0;   // float multiply-adds
  double read = 0;  // bytes from memory
};

/// Measures them again whenever asked: memory is faster in one minute than in the next.
class CeilingMeter {
 public:
  explicit CeilingMeter(int n_threads);
  CeilingMeter(const CeilingMeter&) = delete;
  CeilingMeter& operator=(const CeilingMeter&) = delete;
  ~CeilingMeter();

  int n_threads() const { return pool_.size(); }

  /// About half a second; the best of a few tries each. Reads 512 MiB of memory on huge pages,
  /// which it holds from the first call on. Throws Error if they cannot be had.
  Ceilings measure();

 private:
  class Memory;
  double operations_per_second(const kernels::BusyLoop& loop);
  double bytes_per_second();

  ThreadPool pool_;
  const kernels::KernelTable& kernels_;
  std::unique_ptr<Memory> memory_;
};

}  // namespace hearth
