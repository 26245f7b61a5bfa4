// Our own threads: a fixed crew that shares out ranges of items. No OpenMP.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <thread>
#include <vector>

namespace hearth {

class ThreadPool {
 public:
  /// Whether each thread, the caller's too, keeps to a CPU of its own while the pool lives.
  enum class Pinning : std::uint8_t { none, one_cpu_each };

  /// A crew of `n_threads`, the caller's thread included. At least 1. Throws Error when the system
  /// gives no more threads, or has fewer CPUs than threads to pin.
  explicit ThreadPool(int n_threads, Pinning pinning = Pinning::none);
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  ~ThreadPool();

  int size() const { return static_cast<int>(workers_.size()) + 1; }

  /// Items 0 .. n - 1 in contiguous ranges, one per thread; returns when all are done. What `work`
  /// throws is thrown here then; of several, one. It must not call run().
  using Work = std::function<void(std::int64_t first, std::int64_t last)>;
  void run(std::int64_t n, const Work& work);

  /// Items 0 .. n - 1, each taken by the next thread that is free: for few items of much work. A
  /// thread whose item throws takes no other.
  using Item = std::function<void(std::int64_t item)>;
  void run_one_by_one(std::int64_t n, const Item& item);

 private:
  void start(int n_threads, Pinning pinning);
  void stop();
  void work_range(int thread);
  void worker(int thread);

  std::vector<std::thread> workers_;
  bool is_caller_pinned_ = false;
  const Work* work_ = nullptr;
  std::int64_t n_items_ = 0;
  std::atomic<std::uint32_t> round_{0};  // a new value is a new task, or the end
  std::atomic<int> n_busy_{0};
  std::atomic<bool> has_failed_{false};
  std::exception_ptr failure_;  // of the first thread that set has_failed_
  std::atomic<bool> stop_{false};
};

/// Physical cores that this process may use: hardware threads that share a core count once, and
/// neither the affinity mask nor a container's CPU quota, rounded up, is exceeded. At least 1.
int default_thread_count();

}  // namespace hearth
