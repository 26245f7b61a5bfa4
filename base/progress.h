// Progress of long work, and the way to stop it.
#pragma once

#include <cstdint>
#include <functional>

#include "base/error.h"

namespace hearth {

/// Called now and then with the units done so far and in total; returning false asks the work to
/// stop.
using ProgressFn = std::function<bool(std::uint64_t done, std::uint64_t total)>;

/// Reports, if anyone listens. Throws Cancelled when the listener wants the work to stop.
inline void report(const ProgressFn& progress, std::uint64_t done, std::uint64_t total) {
  if (progress && !progress(done, total)) throw Cancelled();
}

}  // namespace hearth
