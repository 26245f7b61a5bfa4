// Cooperative matrices of one SPIR-V extension in the words of another: GLSL compilers of 2023 know
// SPV_NV_cooperative_matrix, drivers of many vendors SPV_KHR_cooperative_matrix.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace hearth::vulkan {

/// The module in terms of the KHR extension. There a type says what its matrices are used for; in
/// the source a type's number of rows does, by the number of its specialisation constant: 2 for
/// the left factor, 3 for the right one, 4 for sums (shaders/common/fragments.glsl). A module
/// without such matrices comes back as it is. Aborts on a module that our shaders do not make.
std::vector<std::uint32_t> khr_matrices(std::span<const std::uint32_t> module);

}  // namespace hearth::vulkan
