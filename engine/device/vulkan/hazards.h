// Which ops may run at once. An op waits for those before it where it reads what one of them wrote,
// or writes what one of them wrote or reads: what a shader writes is seen from its module, where in
// the buffers from the tensors that it is given.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/device/vulkan/api.h"

namespace hearth::vulkan {

/// Of a buffer, `rows` runs of `bytes`, which begin `stride` apart.
struct Area {
  VkBuffer buffer = VK_NULL_HANDLE;
  std::uint64_t first = 0;
  std::uint64_t bytes = 0;
  std::uint64_t stride = 0;
  std::uint64_t rows = 1;

  bool operator==(const Area&) const = default;
};

bool overlap(const Area& a, const Area& b);

/// Bit i: the module writes to the buffer of binding i.
std::uint32_t written_bindings(std::span<const std::uint32_t> module);

class Hazards {
 public:
  /// Whether the next op has to wait. `written` has the bits of those areas that it writes.
  bool must_wait(std::span<const Area> areas, std::uint32_t written);

  /// The next op waits, whatever it touches.
  void begin();

 private:
  std::vector<Area> read_;  // since the last op that waited
  std::vector<Area> written_;
  bool is_first_ = true;
};

}  // namespace hearth::vulkan
