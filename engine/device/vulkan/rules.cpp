#include "engine/device/vulkan/rules.h"

#include <fmt/format.h>

#include "base/error.h"
#include "engine/device/vulkan/arena.h"
#include "engine/device/vulkan/matrix_layout.h"

namespace hearth {
namespace vulkan {
namespace {

class Rules final : public MemoryRules {
 public:
  Rules(std::uint64_t max_binding, std::uint64_t max_slab, std::uint64_t staging_bytes)
      : max_binding_(max_binding), max_slab_(max_slab), staging_bytes_(staging_bytes) {}

  std::vector<std::uint64_t> matrix(const MatrixShape& shape) const override {
    std::vector<std::uint64_t> pieces;
    for (const MatrixSlice& slice :
         lay_out(shape.type, shape.rows, shape.columns, max_binding_).slices) {
      pieces.push_back(slice.bytes);
    }
    return pieces;
  }

  std::vector<std::uint64_t> buffer(std::size_t n_floats) const override {
    return {sizeof(float) * n_floats};
  }

  std::vector<std::uint64_t> kv_cache(const KvShape& shape) const override {
    check_kv_shape(shape, max_binding_);
    std::vector<std::uint64_t> pieces;
    for (const KvShape::Layer& layer : shape.layers) {
      if (layer.k_columns == 0) continue;
      pieces.push_back(kv_bytes(shape, layer.k_columns));
      pieces.push_back(kv_bytes(shape, layer.v_columns));
    }
    return pieces;
  }

  std::vector<std::uint64_t> fixed(int n_ubatch) const override {
    return {padded(staging_bytes_), padded(kPartialBytes), padded(step_layout(n_ubatch).bytes)};
  }

  std::uint64_t allocated(std::span<const std::uint64_t> pieces) const override {
    std::uint64_t sum = 0;
    for (const std::uint64_t slab : slab_sizes(pieces, max_slab_)) sum += slab;
    return sum;
  }

 private:
  std::uint64_t max_binding_;
  std::uint64_t max_slab_;
  std::uint64_t staging_bytes_;
};

}  // namespace

std::uint64_t kv_bytes(const KvShape& shape, int columns) {
  const std::uint64_t element = shape.type == QuantType::F32 ? 4 : 2;
  return element * static_cast<std::uint64_t>(columns) * static_cast<std::uint64_t>(shape.n_ctx) *
         static_cast<std::uint64_t>(shape.n_slots);
}

void check_kv_shape(const KvShape& shape, std::uint64_t max_binding) {
  if (shape.type != QuantType::F32 && shape.type != QuantType::F16) {
    throw Error(Error::Parts{.where = "--kv-type",
                             .what = "keys and values of this type cannot lie on a Vulkan device",
                             .expected = "f32 or f16",
                             .got = std::string(quant_type_info(shape.type).name)});
  }
  for (const KvShape::Layer& layer : shape.layers) {
    const std::uint64_t bytes = kv_bytes(shape, std::max(layer.k_columns, layer.v_columns));
    if (bytes > max_binding) {
      const std::uint64_t most = max_binding / (bytes / static_cast<std::uint64_t>(shape.n_ctx));
      throw Error(Error::Parts{
          .where = "-c",
          .what = "a layer's keys are more than what a shader of this device sees of a buffer",
          .expected = fmt::format("a context of at most {}", most),
          .got = fmt::format("{}", shape.n_ctx)});
    }
    if (layer.k_columns / layer.n_head_kv % 2 == 0 && layer.v_columns / layer.n_head_kv % 2 == 0)
      continue;
    if (shape.type == QuantType::F32) continue;
    throw Error(
        Error::Parts{.where = "--kv-type",
                     .what = "heads of an odd dimension cannot be stored as f16 on a Vulkan device",
                     .expected = "f32",
                     .got = "f16"});
  }
}

}  // namespace vulkan

std::unique_ptr<MemoryRules> vulkan_memory_rules(const VulkanDeviceInfo& info,
                                                 const VulkanOptions& options) {
  const std::uint64_t binding = options.max_binding > 0 ? options.max_binding : info.max_binding;
  const std::uint64_t slab = options.max_slab > 0 ? options.max_slab : vulkan::kUsualSlab;
  return std::make_unique<vulkan::Rules>(binding, slab, options.staging_bytes);
}

}  // namespace hearth
