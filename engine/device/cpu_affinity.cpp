#include "engine/device/cpu_affinity.h"

#include <sched.h>

#include <fstream>
#include <optional>
#include <set>
#include <string>
#include <thread>

namespace hearth {
namespace {

/// This thread's CPUs before it was pinned.
thread_local std::optional<cpu_set_t> before_pinning;

std::optional<cpu_set_t> allowed_cpus() {
  if (before_pinning) return before_pinning;
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return std::nullopt;
  return allowed;
}

/// What the hardware threads of a core have in common: their list.
std::string core_of(int cpu) {
  std::string siblings = std::to_string(cpu);
  std::ifstream file("/sys/devices/system/cpu/cpu" + siblings + "/topology/thread_siblings_list");
  std::getline(file, siblings);
  return siblings;
}

}  // namespace

UsableCpus usable_cpus() {
  const std::optional<cpu_set_t> allowed = allowed_cpus();
  if (!allowed) {
    return {.cpus = {}, .n_cores = static_cast<int>(std::thread::hardware_concurrency())};
  }
  UsableCpus usable;
  std::vector<int> siblings;
  std::set<std::string> cores;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &*allowed)) continue;
    const bool is_first = cores.insert(core_of(cpu)).second;
    (is_first ? usable.cpus : siblings).push_back(cpu);
  }
  usable.n_cores = static_cast<int>(cores.size());
  usable.cpus.insert(usable.cpus.end(), siblings.begin(), siblings.end());
  return usable;
}

void pin_this_thread(int cpu) {
  before_pinning = allowed_cpus();
  allow_this_thread({cpu});
}

void unpin_this_thread() {
  if (before_pinning) sched_setaffinity(0, sizeof *before_pinning, &*before_pinning);
  before_pinning.reset();
}

void allow_this_thread(const std::vector<int>& cpus) {
  if (cpus.empty()) return;
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  for (const int cpu : cpus) CPU_SET(cpu, &allowed);
  sched_setaffinity(0, sizeof allowed, &allowed);
}

}  // namespace hearth
