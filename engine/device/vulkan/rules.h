// What the device takes of its memory beside the weights: sizes in one place, for plans and for the
// device.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>

#include "engine/device/memory_rules.h"
#include "engine/device/vulkan/vulkan.h"

namespace hearth::vulkan {

inline constexpr std::uint64_t kUsualSlab = std::uint64_t{1} << 30;

/// Rows of x as bytes for products in integers take so much, beside what the options say.
inline std::uint64_t bytes_room(std::uint64_t partial_bytes) {
  return partial_bytes / 2;
}

/// The parameter buffer, in words: four per row of a step, the ids of so many get_rows in a step,
/// tables of frequencies.
inline constexpr std::uint64_t kRowWords = 4;
inline constexpr std::uint64_t kIdListsPerStep = 4;
inline constexpr std::uint64_t kTableWords = 16384;

struct StepLayout {
  std::uint64_t ids_at;
  std::uint64_t tables_at;
  std::uint64_t bytes;
};

inline StepLayout step_layout(int n_rows) {
  const auto rows = static_cast<std::uint64_t>(std::max(n_rows, 64));
  const std::uint64_t ids_at = kRowWords * rows;
  const std::uint64_t tables_at = ids_at + kIdListsPerStep * rows;
  return {.ids_at = ids_at, .tables_at = tables_at, .bytes = 4 * (tables_at + kTableWords)};
}

/// Words of a key (or value) of one head: shaders/common/kv.glsl.
std::uint64_t kv_row_words(QuantType type, int head_dim);

/// Bytes of a layer's keys (or values) of so many columns: [n_slots][n_head_kv][n_ctx] rows.
std::uint64_t kv_bytes(const KvShape& shape, const KvShape::Layer& layer, int columns);

/// Throws Error when the device has no such caches: their type, heads that are no whole words.
void check_kv_shape(const KvShape& shape, std::uint64_t max_binding);

}  // namespace hearth::vulkan
