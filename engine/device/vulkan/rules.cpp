#include "engine/device/vulkan/rules.h"

#include <fmt/format.h>

#include "base/error.h"
#include "engine/device/vulkan/arena.h"
#include "engine/device/vulkan/matrix_layout.h"

namespace hearth {
namespace vulkan {
namespace {

/// What keys and values may be stored as, and what a head's dimension must be a multiple of.
struct KvTypeRow {
  QuantType type;
  int head_multiple;
};

constexpr KvTypeRow kKvTypes[] = {{QuantType::F32, 1}, {QuantType::F16, 2}, {QuantType::Q8_0, 32}};

class Rules final : public MemoryRules {
 public:
  Rules(std::uint64_t max_binding, std::uint64_t max_slab, const VulkanOptions& options)
      : max_binding_(max_binding),
        max_slab_(max_slab),
        staging_bytes_(options.staging_bytes),
        partial_bytes_(options.partial_bytes),
        kv_on_host_(options.kv_on_host) {}

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
      pieces.push_back(kv_bytes(shape, layer, layer.k_columns));
      pieces.push_back(kv_bytes(shape, layer, layer.v_columns));
    }
    return pieces;
  }

  bool keeps_kv_on_host() const override { return kv_on_host_; }

  std::vector<std::uint64_t> fixed(int n_ubatch) const override {
    return {padded(staging_bytes_), padded(partial_bytes_), padded(bytes_room(partial_bytes_)),
            padded(step_layout(n_ubatch).bytes)};
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
  std::uint64_t partial_bytes_;
  bool kv_on_host_;
};

}  // namespace

std::uint64_t kv_row_words(QuantType type, int head_dim) {
  const auto n = static_cast<std::uint64_t>(head_dim);
  if (type == QuantType::Q8_0) return n / 4 + (n + 63) / 64;
  return type == QuantType::F16 ? n / 2 : n;
}

std::uint64_t kv_bytes(const KvShape& shape, const KvShape::Layer& layer, int columns) {
  return 4 * kv_row_words(shape.type, columns / layer.n_head_kv) *
         static_cast<std::uint64_t>(layer.n_head_kv) * static_cast<std::uint64_t>(shape.n_ctx) *
         static_cast<std::uint64_t>(shape.n_slots);
}

void check_kv_shape(const KvShape& shape, std::uint64_t max_binding) {
  const std::string type(quant_type_info(shape.type).name);
  const auto* row = std::find_if(std::begin(kKvTypes), std::end(kKvTypes),
                                 [&](const KvTypeRow& r) { return r.type == shape.type; });
  if (row == std::end(kKvTypes)) {
    throw Error(Error::Parts{.where = "--kv-type",
                             .what = "keys and values of this type cannot lie on a Vulkan device",
                             .expected = "f32, f16 or q8_0",
                             .got = type});
  }
  for (const KvShape::Layer& layer : shape.layers) {
    const int columns = std::max(layer.k_columns, layer.v_columns);
    const std::uint64_t bytes = kv_bytes(shape, layer, columns);
    if (bytes > max_binding) {
      const std::uint64_t most = max_binding / (bytes / static_cast<std::uint64_t>(shape.n_ctx));
      throw Error(Error::Parts{
          .where = "-c",
          .what = "a layer's keys are more than what a shader of this device sees of a buffer",
          .expected = fmt::format("a context of at most {}", most),
          .got = fmt::format("{}", shape.n_ctx)});
    }
    for (const int n : {layer.k_columns, layer.v_columns}) {
      const int head_dim = n / layer.n_head_kv;
      if (head_dim % row->head_multiple == 0) continue;
      throw Error(Error::Parts{
          .where = "--kv-type",
          .what = fmt::format("the heads of this model cannot be stored as {} on a Vulkan device; "
                              "another type can",
                              type),
          .expected = fmt::format("a head dimension that is a multiple of {}", row->head_multiple),
          .got = fmt::format("{}", head_dim)});
    }
  }
}

}  // namespace vulkan

std::unique_ptr<MemoryRules> vulkan_memory_rules(const VulkanDeviceInfo& info,
                                                 const VulkanOptions& options) {
  const std::uint64_t binding = options.max_binding > 0 ? options.max_binding : info.max_binding;
  const std::uint64_t slab = options.max_slab > 0 ? options.max_slab : vulkan::kUsualSlab;
  return std::make_unique<vulkan::Rules>(binding, slab, options);
}

}  // namespace hearth
