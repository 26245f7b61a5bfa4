// The rows of an input as strips (kernels/strips.h), filled once for all matrices that share it.
#pragma once

#include <span>
#include <vector>

#include "engine/device/cpu/huge_pages.h"
#include "engine/device/thread_pool.h"
#include "kernels/kernel_table.h"

namespace hearth {

class StripSet {
 public:
  /// Fills strips of the rows x[0], x[1], ... of `length` floats each, as many as the kind has
  /// room for at a time. What was there before is gone.
  void fill(const kernels::KernelTable& kernels, kernels::StripKind kind,
            std::span<const float* const> x, std::size_t length, ThreadPool& pool);

  /// The same with a strip for each group, of at most most_columns(kind) rows.
  void fill_groups(const kernels::KernelTable& kernels, kernels::StripKind kind,
                   std::span<const std::span<const float* const>> groups, std::size_t length,
                   ThreadPool& pool);

  const std::vector<kernels::Strip>& strips() const { return strips_; }

 private:
  std::vector<kernels::Strip> strips_;
  HugePages memory_;
};

}  // namespace hearth
