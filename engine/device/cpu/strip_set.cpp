#include "engine/device/cpu/strip_set.h"

#include <algorithm>

namespace hearth {

void StripSet::fill(const kernels::KernelTable& kernels, kernels::StripKind kind,
                    std::span<const float* const> x, std::size_t length, ThreadPool& pool) {
  constexpr std::size_t kColumns = kernels::kStripColumns;
  std::vector<std::span<const float* const>> groups;
  for (std::size_t first = 0; first < x.size(); first += kColumns) {
    groups.push_back(x.subspan(first, std::min(kColumns, x.size() - first)));
  }
  fill_groups(kernels, kind, groups, length, pool);
}

void StripSet::fill_groups(const kernels::KernelTable& kernels, kernels::StripKind kind,
                           std::span<const std::span<const float* const>> groups,
                           std::size_t length, ThreadPool& pool) {
  std::size_t bytes = 0;
  for (const auto& group : groups) {
    bytes += kernels::strip_bytes(kind, static_cast<int>(group.size()), length);
  }
  if (memory_.size() < bytes) memory_ = HugePages(bytes);
  strips_.clear();
  std::byte* at = memory_.data();
  for (const auto& group : groups) {
    const auto n = static_cast<int>(group.size());
    strips_.push_back(kernels::make_strip(kind, n, length, at));
    at += kernels::strip_bytes(kind, n, length);
  }
  const kernels::FillStrip fill_strip = kernels.fill_strip[kind];
  pool.run(static_cast<std::int64_t>(groups.size()), [&](std::int64_t first, std::int64_t last) {
    for (auto g = static_cast<std::size_t>(first); g < static_cast<std::size_t>(last); ++g) {
      fill_strip(strips_[g], groups[g].data());
    }
  });
}

}  // namespace hearth
