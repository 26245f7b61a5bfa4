// Cooperative matrices as the shaders use them ("fragments", shaders/common/fragments.glsl): which
// of the sizes that a driver has, and how products and attention are cut into them. Pure.
#pragma once

#include <cstdint>
#include <span>

namespace hearth::vulkan {

/// [m][k] times [k][n]: factors in half precision, sums in floats.
struct Fragment {
  std::uint32_t m = 0;
  std::uint32_t n = 0;
  std::uint32_t k = 0;

  bool operator==(const Fragment&) const = default;
};

/// The best of these sizes for the shaders; one of zeros if they take none of them.
Fragment best_fragment(std::span<const Fragment> sizes);

/// What shaders with fragments must know of a device.
struct FragmentSupport {
  Fragment size = {};           // zeros: it has none that they take
  std::uint32_t lanes = 0;      // of a subgroup; 0: that cannot be known
  bool asks_for_lanes = false;  // pipelines ask for subgroups of that width
};

/// Subgroups of a workgroup of gemm_matrix.
inline constexpr std::uint32_t kMatrixSubgroups = 4;

/// Of a workgroup of any shader with fragments.
std::uint32_t most_subgroups(Fragment size);

/// What a workgroup of gemm_matrix has: so many rows of the matrix and of x, whose units (of 32
/// columns) it takes so many at a time.
struct MatrixTile {
  std::uint32_t rows_w = 0;
  std::uint32_t rows_x = 0;
  std::uint32_t units = 0;

  std::uint32_t shared_bytes() const;
  std::uint64_t groups(std::uint64_t rows, std::uint64_t n) const;
};

/// The largest sides and steps of tiles.
inline constexpr std::uint32_t kMostTileRows = 128;
inline constexpr std::uint32_t kMostTileUnits = 4;

/// The smallest memory that a tile takes.
std::uint32_t least_matrix_bytes();

/// For `rows` rows of a matrix and `n` of x: the largest tile that there are `enough` of to keep
/// the device busy, else the smallest. `shared_bytes` is what a workgroup may have, and at least
/// least_matrix_bytes().
MatrixTile matrix_tile(std::uint64_t rows, std::uint64_t n, std::uint32_t shared_bytes,
                       std::uint64_t enough);

/// What a workgroup of attn_block_matrix has: subgroups with m rows of queries each, and keys of a
/// block.
struct FragmentBlock {
  std::uint32_t subgroups = 0;
  std::uint32_t keys = 0;  // 0: these heads are not for fragments

  std::uint32_t shared_bytes(Fragment size, std::uint32_t dim_k, std::uint32_t dim_v) const;
};

FragmentBlock fragment_block(Fragment size, std::uint32_t dim_k, std::uint32_t dim_v,
                             std::uint32_t shared_bytes);

}  // namespace hearth::vulkan
