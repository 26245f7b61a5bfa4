// The CPU with all its cores: the reference's arithmetic, item by item, shared out over threads. An
// item is computed whole by one thread, so the results do not depend on their number.
#pragma once

#include <string>

#include "engine/device/reference_device.h"
#include "engine/device/thread_pool.h"

namespace hearth {

class CpuDevice final : public ReferenceDevice {
 public:
  /// Less work than this many multiplications is not worth waking a thread for.
  static constexpr std::int64_t kSharedWork = 1 << 15;

  /// 0 threads: default_thread_count().
  explicit CpuDevice(int n_threads = 0, std::int64_t shared_work = kSharedWork)
      : pool_(n_threads > 0 ? n_threads : default_thread_count()), shared_work_(shared_work) {}

  std::string name() const override { return "cpu"; }
  int n_threads() const { return pool_.size(); }

 protected:
  void for_items(std::int64_t n, std::int64_t cost, const Items& items) override {
    if (n * cost < shared_work_) {
      items(0, n);
    } else {
      pool_.run(n, items);
    }
  }

 private:
  ThreadPool pool_;
  std::int64_t shared_work_;
};

}  // namespace hearth
