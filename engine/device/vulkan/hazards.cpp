#include "engine/device/vulkan/hazards.h"

#include <algorithm>
#include <map>

namespace hearth::vulkan {
namespace {

// Numbers of the SPIR-V specification.
constexpr std::size_t kHeaderWords = 5;
constexpr std::uint32_t kOpTypePointer = 32;
constexpr std::uint32_t kOpVariable = 59;
constexpr std::uint32_t kOpDecorate = 71;
constexpr std::uint32_t kOpMemberDecorate = 72;
constexpr std::uint32_t kBinding = 33;
constexpr std::uint32_t kNonWritable = 24;

std::uint64_t end_of(const Area& area) {
  return area.first + (area.rows - 1) * area.stride + area.bytes;
}

/// Both go down the same columns of rows as far apart, and do not meet.
bool are_beside(const Area& a, const Area& b) {
  if (a.stride == 0 || a.stride != b.stride) return false;
  const std::uint64_t at_a = a.first % a.stride;
  const std::uint64_t at_b = b.first % b.stride;
  if (at_a + a.bytes > a.stride || at_b + b.bytes > b.stride) return false;
  return at_a + a.bytes <= at_b || at_b + b.bytes <= at_a;
}

bool meets_any(const Area& area, const std::vector<Area>& others) {
  return std::any_of(others.begin(), others.end(),
                     [&](const Area& other) { return overlap(area, other); });
}

}  // namespace

bool overlap(const Area& a, const Area& b) {
  if (a.buffer != b.buffer || a.first >= end_of(b) || b.first >= end_of(a)) return false;
  return !are_beside(a, b);
}

std::uint32_t written_bindings(std::span<const std::uint32_t> module) {
  std::map<std::uint32_t, std::uint32_t> binding_of;  // by variable
  std::map<std::uint32_t, std::uint32_t> pointee_of;  // by type
  std::vector<std::uint32_t> read_only;               // types
  std::uint32_t written = 0;
  for (std::size_t at = kHeaderWords; at < module.size(); at += module[at] >> 16) {
    const auto words = module.subspan(at, module[at] >> 16);
    switch (words[0] & 0xFFFFU) {
      case kOpDecorate:
        if (words[2] == kBinding) binding_of[words[1]] = words[3];
        break;
      case kOpMemberDecorate:
        if (words[3] == kNonWritable) read_only.push_back(words[1]);
        break;
      case kOpTypePointer:
        pointee_of[words[1]] = words[3];
        break;
      case kOpVariable: {
        const auto binding = binding_of.find(words[2]);
        if (binding == binding_of.end()) break;
        const std::uint32_t type = pointee_of[words[1]];
        if (std::find(read_only.begin(), read_only.end(), type) == read_only.end())
          written |= 1U << binding->second;
        break;
      }
      default:
        break;
    }
  }
  return written;
}

void Hazards::begin() {
  is_first_ = true;
}

bool Hazards::must_wait(std::span<const Area> areas, std::uint32_t written) {
  bool waits = is_first_;
  for (std::size_t i = 0; i < areas.size() && !waits; ++i) {
    const bool is_written = (written >> i & 1U) != 0;
    waits = meets_any(areas[i], written_) || (is_written && meets_any(areas[i], read_));
  }
  if (waits) {
    read_.clear();
    written_.clear();
  }
  is_first_ = false;
  for (std::size_t i = 0; i < areas.size(); ++i) {
    const bool is_written = (written >> i & 1U) != 0;
    (is_written ? written_ : read_).push_back(areas[i]);
  }
  return waits;
}

}  // namespace hearth::vulkan
