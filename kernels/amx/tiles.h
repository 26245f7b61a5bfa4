// The tiles: eight registers of up to 16 rows of 64 bytes, and the product of two that is added to
// a third. A tile of 32-bit sums is a column of the strip per row and a row of the panel per lane:
// a panel's quads are already what the right operand must be, and a wide strip's runs the left one.
// Source: Intel's manual for developers, volume 1, chapter 18, and volume 2.
//
// In an unnamed namespace, as everything in this folder but the install function.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hearth::kernels {
namespace {

inline constexpr int kTileRows = 16;
inline constexpr std::size_t kTileRowBytes = 64;

/// What the compiler is told that an instruction reads or writes.
struct __attribute__((may_alias)) TileBytes {
  std::byte bytes[kTileRows * kTileRowBytes];
};

/// Rows and bytes per row of each tile.
struct TileShapes {
  std::uint8_t palette = 1;
  std::uint8_t start_row = 0;
  std::uint8_t reserved[14] = {};
  std::uint16_t row_bytes[16] = {};
  std::uint8_t rows[16] = {};

  constexpr void set(int tile, int n_rows, int bytes) {
    rows[tile] = static_cast<std::uint8_t>(n_rows);
    row_bytes[tile] = static_cast<std::uint16_t>(bytes);
  }
};
static_assert(sizeof(TileShapes) == 64);

/// The tiles have these shapes until end_tiles().
inline void begin_tiles(const TileShapes& shapes) {
  __asm__ volatile("ldtilecfg %0" ::"m"(shapes));
}

/// Without it the system would save eight kilobytes at every task switch.
inline void end_tiles() {
  __asm__ volatile("tilerelease");
}

template <int tile>
inline __attribute__((always_inline)) void zero_tile() {
  __asm__ volatile("tilezero %%tmm%c0" ::"i"(tile));
}

/// Rows of a tile in memory begin kTileRowBytes apart, also where they are shorter.
template <int tile>
inline __attribute__((always_inline)) void load_tile(const void* from) {
  __asm__ volatile("tileloadd (%0,%1,1), %%tmm%c2" ::"r"(from), "r"(kTileRowBytes), "i"(tile),
                   "m"(*static_cast<const TileBytes*>(from)));
}

template <int tile>
inline __attribute__((always_inline)) void store_tile(void* to) {
  __asm__ volatile("tilestored %%tmm%c3, (%1,%2,1)"
                   : "=m"(*static_cast<TileBytes*>(to))
                   : "r"(to), "r"(kTileRowBytes), "i"(tile));
}

/// sums += left times right, both of signed bytes.
template <int sums, int left, int right>
inline __attribute__((always_inline)) void multiply_tiles() {
  __asm__ volatile("tdpbssd %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(sums), "i"(left), "i"(right));
}

}  // namespace
}  // namespace hearth::kernels
