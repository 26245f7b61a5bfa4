#include "kernels/amx/parts.h"
#include "kernels/amx/tiles.h"

namespace hearth::kernels::amx {
namespace {

constexpr int kProducts = 4;  // that do not depend on each other, in a round

constexpr TileShapes full_tiles() {
  TileShapes shapes;
  for (int tile = 0; tile < 8; ++tile) shapes.set(tile, kTileRows, kTileRowBytes);
  return shapes;
}

std::uint64_t busy_tiles(std::uint64_t rounds) {
  static constexpr TileShapes kShapes = full_tiles();
  begin_tiles(kShapes);
  alignas(64) std::uint64_t sums[kTileRows * kTileRowBytes / sizeof(std::uint64_t)] = {rounds};
  load_tile<4>(sums);
  load_tile<5>(sums);
  load_tile<6>(sums);
  load_tile<7>(sums);
  zero_tile<0>();
  zero_tile<1>();
  zero_tile<2>();
  zero_tile<3>();
  for (std::uint64_t round = 0; round < rounds; ++round) {
    multiply_tiles<0, 4, 6>();
    multiply_tiles<1, 4, 7>();
    multiply_tiles<2, 5, 6>();
    multiply_tiles<3, 5, 7>();
  }
  store_tile<0>(sums);
  end_tiles();
  return sums[0];
}

}  // namespace

void install_ceilings(KernelTable& table) {
  constexpr std::uint64_t kMultiplications = kTileRows * kTileRowBytes * kTileRows;
  table.busy_int8 = {busy_tiles, 2 * kProducts * kMultiplications};
}

}  // namespace hearth::kernels::amx
