#include "tests/vulkan/products.h"

#include <fmt/format.h>

namespace hearth::test {
namespace {

/// A device takes few rows of x in one way and more in another.
constexpr int kFewRows = 8;

bool has_tier(const VulkanDevice& device, const std::string& name) {
  for (const VulkanTier& tier : device.tiers()) {
    if (tier.name == name) return tier.is_on;
  }
  return false;
}

/// As bytes leave them.
void pass_through_bytes(Device& truth, Tensor x) {
  std::vector<float> values(static_cast<std::size_t>(x.rows) * static_cast<std::size_t>(x.columns));
  truth.download(values, x);
  truth.upload(x, by_way_of_bytes(values, x.columns));
}

}  // namespace

std::string type_name(QuantType type) {
  return std::string(quant_type_info(type).name);
}

int ragged_columns(QuantType type) {
  const auto block = static_cast<int>(quant_type_info(type).block_elements);
  return block == 1 ? 77 : 3 * block;
}

bool is_in_integers(const VulkanDevice& device, QuantType type, int n) {
  if (n > kFewRows && has_tier(device, "matrix")) return false;
  return has_tier(device, "dot") && quant_type_info(type).block_elements > 1;
}

void expect_product(VulkanDevice& device, QuantType type, const ProductShape& shape, double bar) {
  std::mt19937 random(7);
  ReferenceDevice truth;
  const TwinMatrix w(device, truth, type, shape.rows, shape.columns, random);
  // A twin begins at a multiple of four, less one.
  const int before = shape.is_aligned ? 1 : 0;
  const int gap = 8 - (before + shape.columns) % 4 + (shape.is_aligned ? 0 : 1);
  Twin wide(device, truth, shape.n, before + shape.columns, gap);
  wide.fill(random);
  const Twin out(device, truth, shape.n, shape.rows);
  device.matmul(out.tested(), *w.tested, wide.tested().column_range(before, shape.columns, "x"));
  const Tensor x = wide.truth().column_range(before, shape.columns, "x");
  if (is_in_integers(device, type, shape.n)) pass_through_bytes(truth, x);
  truth.matmul(out.truth(), *w.truth, x);
  out.expect_equal(bar, fmt::format("{} [{}][{}] x {}{}", type_name(type), shape.rows,
                                    shape.columns, shape.n, shape.is_aligned ? ", aligned" : ""));
}

void expect_experts(VulkanDevice& device, QuantType type, int rows, int columns, int n_tokens) {
  constexpr int kExperts = 4;
  constexpr int kUsed = 3;
  std::mt19937 random(15);
  ReferenceDevice truth;
  const TwinMatrix w(device, truth, type, kExperts * rows, columns, random, kExperts);
  Twin chosen(device, truth, n_tokens, kUsed);
  std::vector<float> numbers;
  for (int i = 0; i < n_tokens * kUsed; ++i)
    numbers.push_back(static_cast<float>((i + i / kUsed) % kExperts));
  chosen.set(numbers);
  for (const int n : {n_tokens, n_tokens * kUsed}) {
    Twin x(device, truth, n, columns);
    const Twin out(device, truth, n_tokens * kUsed, rows);
    x.fill(random);
    device.expert_matmul(out.tested(), *w.tested, x.tested(), chosen.tested());
    if (is_in_integers(device, type, 1)) pass_through_bytes(truth, x.truth());
    truth.expert_matmul(out.truth(), *w.truth, x.truth(), chosen.truth());
    out.expect_equal(kExactProduct, fmt::format("{}, {} inputs of experts", type_name(type), n));
  }
}

void expect_rows(VulkanDevice& device, QuantType type, int columns) {
  std::mt19937 random(9);
  ReferenceDevice truth;
  const std::vector<std::int32_t> ids = {3, 149, 0, 3, 75};
  const TwinMatrix table(device, truth, type, 150, columns, random);
  const Twin out(device, truth, static_cast<int>(ids.size()), columns);
  device.get_rows(out.tested(), *table.tested, ids);
  truth.get_rows(out.truth(), *table.truth, ids);
  out.expect_equal(1e-14, fmt::format("{}, rows of {}", type_name(type), columns));
}

}  // namespace hearth::test
