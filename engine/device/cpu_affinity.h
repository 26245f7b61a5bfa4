// Which CPUs a thread may run on, and keeping it on one.
#pragma once

#include <vector>

namespace hearth {

struct UsableCpus {
  std::vector<int> cpus;  // as threads should take them: one of each core first
  int n_cores = 0;        // physical ones: hardware threads that share a core count once
};

/// What the scheduler allows this thread, or allowed before pin_this_thread(). Empty, with as many
/// cores as the system has CPUs, where that cannot be found out.
UsableCpus usable_cpus();

/// Keeps this thread on one CPU until unpin_this_thread(). Without effect where that is forbidden.
void pin_this_thread(int cpu);

/// Takes a pin_this_thread() back; nothing without one.
void unpin_this_thread();

/// Lets this thread run on these CPUs: a new thread is as restricted as the one that made it.
void allow_this_thread(const std::vector<int>& cpus);

}  // namespace hearth
