#include "engine/measure/ceilings.h"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <functional>

#include "base/error.h"
#include "engine/device/cpu/isa.h"

namespace hearth {
namespace {

constexpr int kTries = 25;
constexpr int kReadTries = 6;
constexpr double kTryTime = 0.004;  // seconds: short ones are seldom interrupted

double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

/// Anonymous memory on huge pages where the system has them, every page written once.
class CeilingMeter::Memory {
 public:
  static constexpr std::size_t kBytes = std::size_t{512} << 20;

  explicit Memory(ThreadPool& pool) {
    void* found = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (found == MAP_FAILED) {
      throw Error(Error::Parts{.where = "bench",
                               .what = "there is no memory to measure its speed with",
                               .expected = "512 MiB",
                               .got = std::strerror(errno)});
    }
    bytes_ = static_cast<std::byte*>(found);
    madvise(bytes_, kBytes, MADV_HUGEPAGE);  // a wish: without them the pages are small
    pool.run(pool.size(), [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t i = first; i < last; ++i) {
        std::memset(part(i, pool.size()), static_cast<int>(i) + 1, part_bytes(pool.size()));
      }
    });
  }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  ~Memory() { munmap(bytes_, kBytes); }

  /// What thread i of n reads.
  std::byte* part(std::int64_t i, int n) const {
    return bytes_ + static_cast<std::size_t>(i) * part_bytes(n);
  }
  static std::size_t part_bytes(int n) {
    constexpr std::size_t kStep = 1024;  // of ReadMemory
    return kBytes / static_cast<std::size_t>(n) / kStep * kStep;
  }

 private:
  std::byte* bytes_ = nullptr;
};

CeilingMeter::CeilingMeter(int n_threads)
    : pool_(n_threads > 0 ? n_threads : default_thread_count()), kernels_(chosen_kernels()) {}

CeilingMeter::~CeilingMeter() = default;

double CeilingMeter::operations_per_second(const kernels::BusyLoop& loop) {
  std::atomic<std::uint64_t> unused = 0;
  std::uint64_t rounds = 1000;
  const auto run = [&] {
    return seconds_of([&] {
      pool_.run(pool_.size(), [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t i = first; i < last; ++i) unused ^= loop.run(rounds);
      });
    });
  };
  double best = run();
  while (best < kTryTime / 2) {  // as many rounds as take long enough to be timed
    rounds *= 2;
    best = run();
  }
  for (int i = 1; i < kTries; ++i) best = std::min(best, run());
  return static_cast<double>(rounds * loop.operations) * pool_.size() / best;
}

double CeilingMeter::bytes_per_second() {
  std::atomic<std::uint64_t> unused = 0;
  const auto run = [&] {
    return seconds_of([&] {
      pool_.run(pool_.size(), [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t i = first; i < last; ++i) {
          unused ^= kernels_.read_memory(memory_->part(i, pool_.size()),
                                         Memory::part_bytes(pool_.size()));
        }
      });
    });
  };
  double best = run();
  for (int i = 1; i < kReadTries; ++i) best = std::min(best, run());
  return static_cast<double>(Memory::part_bytes(pool_.size())) * pool_.size() / best;
}

Ceilings CeilingMeter::measure() {
  if (!memory_) memory_ = std::make_unique<Memory>(pool_);
  Ceilings found;
  found.int8 = operations_per_second(kernels_.busy_int8);
  found.bf16 = operations_per_second(kernels_.busy_bf16);
  found.fma = operations_per_second(kernels_.busy_fma);
  found.read = bytes_per_second();
  return found;
}

}  // namespace hearth
