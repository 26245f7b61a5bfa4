#include "engine/device/cpu/memory_rules.h"

#include <numeric>

#include "engine/device/cpu/isa.h"
#include "engine/device/cpu/kv_cache.h"
#include "kernels/panels.h"

namespace hearth {
namespace {

class CpuRules final : public MemoryRules {
 public:
  explicit CpuRules(bool repack) : repack_(repack) {}

  std::vector<std::uint64_t> matrix(const MatrixShape& shape) const override {
    if (!repack_ || shape.use == HostMatrix::Use::rows) return {};
    const int lanes = chosen_kernels().matmul[shape.type].lanes;
    const std::int64_t rows = shape.rows / shape.n_stacked;
    const auto panels = static_cast<std::uint64_t>((rows + lanes - 1) / lanes * shape.n_stacked);
    return {panels *
            kernels::panel_bytes(shape.type, static_cast<std::size_t>(shape.columns), lanes)};
  }

  std::vector<std::uint64_t> buffer(std::size_t n_floats) const override {
    return {sizeof(float) * n_floats};
  }
  std::vector<std::uint64_t> kv_cache(const KvShape& shape) const override {
    return {CpuKvCache::bytes_for(shape)};
  }
  std::vector<std::uint64_t> fixed(int) const override { return {}; }

  std::uint64_t allocated(std::span<const std::uint64_t> pieces) const override {
    return std::accumulate(pieces.begin(), pieces.end(), std::uint64_t{0});
  }

 private:
  bool repack_;
};

}  // namespace

std::unique_ptr<MemoryRules> cpu_memory_rules(bool repack) {
  return std::make_unique<CpuRules>(repack);
}

}  // namespace hearth
