// Attention of all rows of a step, shared out over threads.
#pragma once

#include <cstdint>

#include "engine/device/cpu/kv_cache.h"
#include "engine/device/device.h"
#include "engine/device/thread_pool.h"
#include "kernels/kernel_table.h"

namespace hearth {

/// Device::attention. Work of fewer than `least_shared` multiplications stays on this thread. How
/// it is shared out does not change a bit: kernels/attention.h says why.
void attend(Tensor out, Tensor q, const CpuKvCache& cache, const AttentionSpec& spec,
            const Step& step, const kernels::KernelTable& kernels, ThreadPool& pool,
            std::int64_t least_shared);

}  // namespace hearth
