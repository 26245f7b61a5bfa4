#include "engine/device/vulkan/fragments.h"

#include <algorithm>

#include "base/error.h"

namespace hearth::vulkan {
namespace {

/// What the shaders take, best first: a fragment that is loaded once should meet as much as
/// possible. NVIDIA and AMD have the first, Intel the next two, Mesa's software device the last.
constexpr Fragment kSizes[] = {{16, 16, 16}, {8, 16, 16}, {8, 8, 16}, {8, 8, 8}};

/// Tiles of gemm_matrix, the largest first; of those with the same sides the first that there is
/// room for is taken. What limits them:
///  - registers: where a subgroup has 32 lanes, each has 128 sums of the largest tile, about as
///    many as it should, and what it fetches ahead: a unit of weights and four vectors of x (16
///    registers each) in all tiles whose sides times units are 128;
///  - reads of shared memory: a subgroup reads its halves of both sides to multiply them, so
///    twice the side is half the reads. With sides of 64 per subgroup, reads take about as
///    long as the products on a large GPU; with sides of 16 four times as long;
///  - shared memory: steps lie there twice. 48 KiB is what large GPUs give, 32 KiB what most do,
///    and 16 KiB what Vulkan promises;
///  - how many there are: 3584 rows and 512 of x are 112 of the largest, not one for each core of a
///    large GPU.
constexpr MatrixTile kTiles[] = {{128, 128, 1}, {64, 64, 2}, {64, 64, 1},
                                 {32, 32, 4},   {32, 32, 2}, {32, 32, 1}};

/// Rows of queries that share the keys of a block, about.
constexpr std::uint32_t kQueryRows = 64;

/// Keys of a block of attention, best first. More would take more registers for scores, and
/// leave no shared memory for a second workgroup.
constexpr std::uint32_t kBlockKeys[] = {32, 16};

/// Heads have whole fragments of every size.
constexpr std::uint32_t kDimMultiple = 16;

constexpr std::uint32_t kVectorBytes = 16;

}  // namespace

Fragment best_fragment(std::span<const Fragment> sizes) {
  for (const Fragment& size : kSizes) {
    if (std::find(sizes.begin(), sizes.end(), size) != sizes.end()) return size;
  }
  return {};
}

std::uint32_t most_subgroups(Fragment size) {
  return size.m == 0 ? 0 : std::max(kMatrixSubgroups, kQueryRows / size.m);
}

std::uint32_t MatrixTile::shared_bytes() const {
  return 2 * (rows_w + rows_x) * (4 * units + 1) * kVectorBytes;
}

std::uint64_t MatrixTile::groups(std::uint64_t rows, std::uint64_t n) const {
  return ((rows + rows_w - 1) / rows_w) * ((n + rows_x - 1) / rows_x);
}

std::uint32_t least_matrix_bytes() {
  return std::end(kTiles)[-1].shared_bytes();
}

MatrixTile matrix_tile(std::uint64_t rows, std::uint64_t n, std::uint32_t shared_bytes,
                       std::uint64_t enough) {
  MatrixTile best;
  for (const MatrixTile& tile : kTiles) {
    if (tile.rows_w == best.rows_w || tile.shared_bytes() > shared_bytes) continue;
    best = tile;
    if (tile.groups(rows, n) >= enough) break;
  }
  HEARTH_CHECK(best.rows_w > 0);
  return best;
}

std::uint32_t FragmentBlock::shared_bytes(Fragment size, std::uint32_t dim_k,
                                          std::uint32_t dim_v) const {
  const std::uint32_t rows = subgroups * size.m;
  const std::uint32_t vectors = keys * (dim_k / 8 + 1 + dim_v / 8 + 1) + rows * (keys / 4 + 1);
  return vectors * kVectorBytes + 4 * rows * (keys / 8 + 1);
}

FragmentBlock fragment_block(Fragment size, std::uint32_t dim_k, std::uint32_t dim_v,
                             std::uint32_t shared_bytes) {
  if (dim_k % kDimMultiple != 0 || dim_v % kDimMultiple != 0) return {};
  for (const std::uint32_t keys : kBlockKeys) {
    const FragmentBlock block = {.subgroups = kQueryRows / size.m, .keys = keys};
    if (block.shared_bytes(size, dim_k, dim_v) <= shared_bytes) return block;
  }
  return {};
}

}  // namespace hearth::vulkan
