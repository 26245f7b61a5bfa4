// The crew: every item once, what a thread throws reaches the caller, CPUs of their own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <new>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/control_groups.h"
#include "base/error.h"
#include "engine/device/cpu_affinity.h"
#include "engine/device/thread_pool.h"

namespace hearth {
namespace {

using testing::HasSubstr;

TEST(ThreadPool, SharesItemsOutCompletely) {
  for (const int n_threads : {1, 2, 3, 7}) {
    ThreadPool pool(n_threads);
    EXPECT_EQ(pool.size(), n_threads);
    for (const int n : {0, 1, 2, 7, 1000}) {
      std::vector<int> done(static_cast<std::size_t>(n));
      for (int repeat = 0; repeat < 10; ++repeat) {
        pool.run(n, [&](std::int64_t first, std::int64_t last) {
          for (std::int64_t i = first; i < last; ++i) ++done[static_cast<std::size_t>(i)];
        });
        pool.run_one_by_one(n, [&](std::int64_t i) { ++done[static_cast<std::size_t>(i)]; });
      }
      EXPECT_THAT(done, testing::Each(20)) << n_threads << " threads";
    }
  }
}

/// Between two tasks the crew sleeps: it must wake for each, and see what the caller wrote.
TEST(ThreadPool, WakesForEveryTask) {
  ThreadPool pool(3);
  std::vector<int> values(300);
  for (int task = 1; task <= 30; ++task) {
    if (task % 10 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    const int from_caller = task;
    pool.run(300, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t i = first; i < last; ++i) {
        values[static_cast<std::size_t>(i)] += from_caller;
      }
    });
  }
  EXPECT_THAT(values, testing::Each(30 * 31 / 2));
}

TEST(ThreadPool, WhatAThreadThrowsReachesTheCaller) {
  ThreadPool pool(3);
  for (const std::int64_t culprit : {0, 1, 2}) {
    std::atomic<int> n_done = 0;
    const auto work = [&](std::int64_t first, std::int64_t) {
      if (first == culprit) throw std::bad_alloc();
      ++n_done;
    };
    EXPECT_THROW(pool.run(3, work), std::bad_alloc) << "thread " << culprit;
    EXPECT_EQ(n_done, 2) << "the others finish";
  }
  std::atomic<int> n_done = 0;
  pool.run(3, [&](std::int64_t, std::int64_t) { ++n_done; });
  EXPECT_EQ(n_done, 3) << "nothing is left over";
}

TEST(ThreadPool, OfSeveralExceptionsOneArrives) {
  ThreadPool pool(4);
  for (int repeat = 0; repeat < 20; ++repeat) {
    EXPECT_THROW(pool.run_one_by_one(100, [](std::int64_t) { throw std::runtime_error("no"); }),
                 std::runtime_error);
  }
  EXPECT_THROW(ThreadPool(1).run(1, [](std::int64_t, std::int64_t) { throw 1; }), int);
}

std::set<int> cpus_of_this_thread() {
  cpu_set_t set;
  CPU_ZERO(&set);
  sched_getaffinity(0, sizeof set, &set);
  std::set<int> cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &set)) cpus.insert(cpu);
  }
  return cpus;
}

/// What each thread of a pool may run on.
std::vector<std::set<int>> cpus_of(ThreadPool& pool) {
  std::vector<std::set<int>> cpus(static_cast<std::size_t>(pool.size()));
  pool.run(pool.size(), [&](std::int64_t first, std::int64_t) {
    cpus[static_cast<std::size_t>(first)] = cpus_of_this_thread();
  });
  return cpus;
}

TEST(Pinning, GivesEachThreadACpuUntilThePoolEnds) {
  const std::set<int> before = cpus_of_this_thread();
  const auto n = static_cast<int>(before.size());
  {
    ThreadPool pool(n, ThreadPool::Pinning::one_cpu_each);
    std::set<int> all;
    for (const std::set<int>& cpus : cpus_of(pool)) {
      EXPECT_EQ(cpus.size(), 1U);
      all.insert(cpus.begin(), cpus.end());
    }
    EXPECT_EQ(all, before);
    // Of a pool that is made meanwhile only the caller is pinned, and it counts all CPUs.
    ThreadPool other(3);
    const auto others = cpus_of(other);
    EXPECT_EQ(others[1], before);
    EXPECT_EQ(others[2], before);
    EXPECT_EQ(usable_cpus().cpus.size(), before.size());
  }
  EXPECT_EQ(cpus_of_this_thread(), before);
}

TEST(Pinning, NeedsACpuForEachThread) {
  const int too_many = static_cast<int>(cpus_of_this_thread().size()) + 1;
  try {
    ThreadPool pool(too_many, ThreadPool::Pinning::one_cpu_each);
    FAIL() << "there is no CPU for the last thread";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("at most " + std::to_string(too_many - 1)));
    EXPECT_THAT(error.what(), HasSubstr("-t"));
  }
}

TEST(DefaultThreads, AreTheCoresThatThisProcessMayUse) {
  const UsableCpus usable = usable_cpus();
  ASSERT_GE(usable.n_cores, 1);
  EXPECT_LE(static_cast<std::size_t>(usable.n_cores), usable.cpus.size());
  EXPECT_GE(default_thread_count(), 1);
  EXPECT_LE(default_thread_count(), usable.n_cores);
  if (!cpu_quota()) {
    EXPECT_EQ(default_thread_count(), usable.n_cores);
  }
  // A thread of its own: what it does to itself ends with it.
  std::thread([&] {
    allow_this_thread({usable.cpus.back()});
    EXPECT_EQ(usable_cpus().cpus, std::vector{usable.cpus.back()});
    EXPECT_EQ(default_thread_count(), 1);
  }).join();
}

}  // namespace
}  // namespace hearth
