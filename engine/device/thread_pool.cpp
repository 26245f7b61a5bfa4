#include "engine/device/thread_pool.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <system_error>
#include <utility>

#include "base/control_groups.h"
#include "base/error.h"
#include "base/relax.h"
#include "engine/device/cpu_affinity.h"

namespace hearth {
namespace {

/// How often a waiting thread looks before it sleeps: for about a tenth of a millisecond, longer
/// than what one thread does alone between two shared verbs. To sleep and be woken takes longer.
constexpr int kSpins = 3000;

template <class Value>
void wait_while(const std::atomic<Value>& value, Value old) {
  for (int i = 0; i < kSpins; ++i) {
    if (value.load(std::memory_order_acquire) != old) return;
    relax();
  }
  value.wait(old, std::memory_order_acquire);
}

[[noreturn]] void refuse_threads(std::string what, std::size_t most, int wanted) {
  throw Error(Error::Parts{.where = "threads",
                           .what = std::move(what),
                           .expected = "at most " + std::to_string(most) + " (-t)",
                           .got = std::to_string(wanted)});
}

}  // namespace

ThreadPool::ThreadPool(int n_threads, Pinning pinning) {
  try {
    start(n_threads, pinning);
  } catch (const std::system_error&) {
    const std::size_t most = workers_.size() + 1;
    stop();
    refuse_threads("the system does not give as many, or not the memory for them", most, n_threads);
  } catch (...) {
    stop();
    throw;
  }
}

void ThreadPool::start(int n_threads, Pinning pinning) {
  const std::vector<int> cpus = usable_cpus().cpus;
  const bool pinned = pinning == Pinning::one_cpu_each;
  if (pinned && static_cast<std::size_t>(n_threads) > cpus.size()) {
    refuse_threads("there are fewer CPUs than threads that want one of their own", cpus.size(),
                   n_threads);
  }
  workers_.reserve(static_cast<std::size_t>(n_threads));
  for (int thread = 1; thread < n_threads; ++thread) {
    const auto here = pinned ? std::vector{cpus[static_cast<std::size_t>(thread)]} : cpus;
    workers_.emplace_back([this, thread, here] {
      allow_this_thread(here);
      worker(thread);
    });
  }
  if (!pinned) return;
  pin_this_thread(cpus.front());
  is_caller_pinned_ = true;
}

ThreadPool::~ThreadPool() {
  stop();
}

void ThreadPool::stop() {
  if (is_caller_pinned_) unpin_this_thread();
  stop_.store(true, std::memory_order_relaxed);
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  for (std::thread& thread : workers_) thread.join();
}

void ThreadPool::run(std::int64_t n, const Work& work) {
  if (workers_.empty() || n <= 1) {
    work(0, n);
    return;
  }
  work_ = &work;
  n_items_ = n;
  n_busy_.store(static_cast<int>(workers_.size()), std::memory_order_relaxed);
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  work_range(0);
  for (int busy = n_busy_.load(std::memory_order_acquire); busy != 0;
       busy = n_busy_.load(std::memory_order_acquire)) {
    wait_while(n_busy_, busy);
  }
  if (!has_failed_.load(std::memory_order_relaxed)) return;
  has_failed_.store(false, std::memory_order_relaxed);
  std::rethrow_exception(std::exchange(failure_, nullptr));
}

void ThreadPool::run_one_by_one(std::int64_t n, const Item& item) {
  std::atomic<std::int64_t> next = 0;
  run(size(), [&](std::int64_t, std::int64_t) {
    for (std::int64_t i = next++; i < n; i = next++) item(i);
  });
}

void ThreadPool::work_range(int thread) {
  const std::int64_t first = n_items_ * thread / size();
  const std::int64_t last = n_items_ * (thread + 1) / size();
  if (first >= last) return;
  try {
    (*work_)(first, last);
  } catch (...) {  // most likely std::bad_alloc; the other threads are still at work
    if (!has_failed_.exchange(true)) failure_ = std::current_exception();
  }
}

void ThreadPool::worker(int thread) {
  std::uint32_t seen = 0;
  while (true) {
    wait_while(round_, seen);
    seen = round_.load(std::memory_order_acquire);
    if (stop_.load(std::memory_order_relaxed)) return;
    work_range(thread);
    if (n_busy_.fetch_sub(1, std::memory_order_release) == 1) n_busy_.notify_one();
  }
}

int default_thread_count() {
  const int cores = usable_cpus().n_cores;
  const auto quota = cpu_quota();
  const double most = quota ? std::ceil(*quota) : cores;
  return std::max(1, static_cast<int>(std::min<double>(cores, most)));
}

}  // namespace hearth
