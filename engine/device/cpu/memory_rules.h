// What the CPU device takes of the host's memory, for plans.
#pragma once

#include <memory>

#include "engine/device/memory_rules.h"

namespace hearth {

/// Without `repack`, and for tables that are read by rows, weights stay in the file's map and take
/// nothing.
std::unique_ptr<MemoryRules> cpu_memory_rules(bool repack);

}  // namespace hearth
