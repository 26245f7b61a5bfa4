// What the files with ComputeDevice's verbs share.
#pragma once

#include <algorithm>
#include <cstdint>

#include "engine/device/vulkan/compute_device.h"

namespace hearth::vulkan {

inline std::uint64_t groups_for(std::uint64_t n, std::uint64_t at_once) {
  return (n + at_once - 1) / at_once;
}

inline const SlicedMatrix& sliced(const Matrix& matrix) {
  return static_cast<const SlicedMatrix&>(matrix);
}

inline PushWords operator+(PushWords a, const PushWords& b) {
  std::copy_n(b.words.begin(), b.n, a.words.begin() + a.n);
  a.n += b.n;
  return a;
}

/// What WEIGHT_PUSH in shaders/common/weights.glsl takes, and which rows of the matrix there are.
inline PushWords weight_push(const SlicedMatrix& w, const MatrixSlice& slice) {
  PushWords push;
  for (const std::uint32_t at : slice.plane_at) push.words[push.n++] = at;
  for (const std::uint32_t words : w.layout.row_words) push.words[push.n++] = words;
  push.words[push.n++] = static_cast<std::uint32_t>(slice.first_row);
  push.words[push.n++] = static_cast<std::uint32_t>(slice.end_row);
  push.words[push.n++] = static_cast<std::uint32_t>(w.columns());
  return push;
}

/// The columns of an output that a slice of a matrix makes.
inline Tensor part_of(const Tensor& out, const MatrixSlice& slice) {
  return out.column_range(static_cast<int>(slice.first_row),
                          static_cast<int>(slice.end_row - slice.first_row), out.name);
}

/// Whether a shader may read x as vectors of four, unit by unit.
inline bool is_aligned(const Tensor& x) {
  return x.offset % 4 == 0 && x.stride % 4 == 0 && x.columns % kUnit == 0;
}

}  // namespace hearth::vulkan
