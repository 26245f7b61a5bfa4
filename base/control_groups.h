// The control groups (cgroups, version 1 and 2) that this process is in: what a container, a batch
// system or a service manager lets it use.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace hearth {

/// Where the system shows them.
struct ControlGroups {
  std::filesystem::path mounted = "/sys/fs/cgroup";
  std::filesystem::path own = "/proc/self/cgroup";  // which groups this process is in
};

/// CPUs' worth of time that this process may use, e.g. 1.5; none: no limit. The least of its own
/// group's and of those around it.
std::optional<double> cpu_quota(const ControlGroups& groups = {});

/// Bytes until the memory limit; none: no limit. Files that are only cached do not count as used.
std::optional<std::uint64_t> memory_quota_left(const ControlGroups& groups = {});

}  // namespace hearth
