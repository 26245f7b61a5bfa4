#include "engine/device/thread_pool.h"

#include <sched.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <string>

namespace hearth {
namespace {

/// How often a waiting thread looks before it sleeps: some microseconds, less than a short verb.
constexpr int kSpins = 2000;

template <class Value>
void wait_while(const std::atomic<Value>& value, Value old) {
  for (int i = 0; i < kSpins; ++i) {
    if (value.load(std::memory_order_acquire) != old) return;
  }
  value.wait(old, std::memory_order_acquire);
}

/// CPUs of the quota of the process's control group (version 2), rounded up; 0 if there is none.
int quota_cpus() {
  std::ifstream file("/sys/fs/cgroup/cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max" || period <= 0) return 0;
  const double cpus = std::strtod(quota.c_str(), nullptr) / period;
  return std::max(1, static_cast<int>(cpus + 0.999));
}

/// Cores behind the CPUs that the scheduler lets us use.
int usable_cores() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) {
    return static_cast<int>(std::thread::hardware_concurrency());
  }
  std::set<std::string> cores;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed)) continue;
    std::string siblings = std::to_string(cpu);
    std::ifstream file("/sys/devices/system/cpu/cpu" + siblings + "/topology/thread_siblings_list");
    std::getline(file, siblings);
    cores.insert(siblings);
  }
  return static_cast<int>(cores.size());
}

}  // namespace

ThreadPool::ThreadPool(int n_threads) {
  for (int thread = 1; thread < n_threads; ++thread) {
    workers_.emplace_back([this, thread] { worker(thread); });
  }
}

ThreadPool::~ThreadPool() {
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
  if (first < last) (*work_)(first, last);
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
  const int cores = usable_cores();
  const int quota = quota_cpus();
  return std::max(1, quota > 0 ? std::min(cores, quota) : cores);
}

}  // namespace hearth
