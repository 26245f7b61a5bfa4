#include "engine/device/cpu/strip_set.h"

#include <algorithm>

namespace hearth {

namespace {

/// What one thread fills at a time.
struct Part {
  kernels::Strip strip;
  std::size_t group;
  int column;  // of the group, where it begins
};

/// Strips whole, wide ones in parts: there are few of those.
std::vector<Part> parts_of(std::span<const kernels::Strip> strips) {
  constexpr int kColumns = 16;
  std::vector<Part> parts;
  for (std::size_t g = 0; g < strips.size(); ++g) {
    const kernels::Strip& strip = strips[g];
    if (!kernels::is_wide(strip.kind)) {
      parts.push_back({strip, g, 0});
      continue;
    }
    for (int c = 0; c < strip.n_columns; c += kColumns) {
      const int n = std::min(kColumns, strip.n_columns - c);
      parts.push_back({kernels::columns_of(strip, c, n), g, c});
    }
  }
  return parts;
}

}  // namespace

void StripSet::fill(const kernels::KernelTable& kernels, kernels::StripKind kind,
                    std::span<const float* const> x, std::size_t length, ThreadPool& pool) {
  const auto columns = static_cast<std::size_t>(kernels::most_columns(kind));
  std::vector<std::span<const float* const>> groups;
  for (std::size_t first = 0; first < x.size(); first += columns) {
    groups.push_back(x.subspan(first, std::min(columns, x.size() - first)));
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
  const std::vector<Part> parts = parts_of(strips_);
  const kernels::FillStrip fill_strip = kernels.fill_strip[kind];
  pool.run(static_cast<std::int64_t>(parts.size()), [&](std::int64_t first, std::int64_t last) {
    for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(last); ++i) {
      fill_strip(parts[i].strip, groups[parts[i].group].data() + parts[i].column);
    }
  });
}

}  // namespace hearth
