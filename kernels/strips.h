// Activations as the matrix kernels read them. A strip is up to 12 columns (tokens) side by side:
// four consecutive elements of one column, then those of the next column, and so on, so that a
// kernel reads one address after the other while each of its lanes works on another row of the
// matrix.
//
// Quantised strips hold x as integers q with a float scale per block: x = scale * q, q in
// -127..127, scale = largest / end, q = x * (end * (1 / largest)) rounded to nearest, ties to even,
// where largest is that of |x| in the block. Of four ends, 127 to 124, a block has the one that
// leaves the least squared error: which of them falls well is luck, and the best of four leaves
// about 15 % less of it in a block of 32. A block with nothing of at least kSmallestBlock is all
// zeros, with scale 0. One with an infinity or something that is no number is all zeros with scale
// kNoNumber, so that every result of its column is no number either: a fault is not hidden. Sums of
// q that a kernel would need again and again are stored beside them.
//
// A wide strip holds up to 256 columns for kernels that multiply whole tiles (kernels/amx): runs of
// 64 elements of one column, then those of the next. All but the order of the quants is the same.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hearth::kernels {

inline constexpr int kStripColumns = 12;
inline constexpr int kWideStripColumns = 256;
inline constexpr int kWideRun = 64;  // elements of a column side by side in a wide strip
inline constexpr int kLargestEnd = 127;
inline constexpr int kSmallestEnd = 124;
inline constexpr float kSmallestBlock = 0x1p-100F;  // 127 * (1 / x) is finite from here on
inline constexpr float kNoNumber = __builtin_nanf("");

enum class StripKind : std::uint8_t {
  f32,          // floats as they are
  bf16,         // rounded to bfloat16
  q8_32,        // a scale per 32 elements: for the plain quant types
  q8_128,       // a scale per 128 elements: for the types with super-blocks of 256
  q8_128_wide,  // the same in a wide strip
};

inline constexpr int kStripKinds = 5;

[[gnu::always_inline]] constexpr bool is_wide(StripKind kind) {
  return kind == StripKind::q8_128_wide;
}

/// Elements that share a scale, in a quantised strip.
[[gnu::always_inline]] constexpr std::size_t scale_block(StripKind kind) {
  return kind == StripKind::q8_32 ? 32 : 128;
}

/// Columns that a strip of this kind has at most.
[[gnu::always_inline]] constexpr int most_columns(StripKind kind) {
  return is_wide(kind) ? kWideStripColumns : kStripColumns;
}

struct Strip {
  StripKind kind = StripKind::f32;
  int width = 0;           // columns stored: padded_width(n_columns), in a wide strip n_columns
                           // rounded up to 16; the padding is zero
  int n_columns = 0;       // columns in use
  std::size_t length = 0;  // elements of a column, a multiple of what the kind's blocks need

  const float* floats = nullptr;         // f32: [length][width]
  const std::uint32_t* pairs = nullptr;  // bf16: [length / 2][width], the earlier element low
  const std::int8_t* quants = nullptr;   // q8: [length / 4][width][4];
                                         // wide: [length / 64][width][64]
  const float* scales = nullptr;         // q8: [length / 32 or 128][width]
  const std::int32_t* bias = nullptr;    // q8: -128 * sum of q, of every 32 elements (q8_32) or of
                                         // every 16 (q8_128): [length / 32 or 16][width]
  const std::uint32_t* sum_pairs = nullptr;  // q8_128: two 16-bit sums of q, of 32 elements each,
                                             // the earlier one low: [length / 64][width]
};

/// The width that a strip of `n` columns (1 to kStripColumns) has: a width that kernels are made
/// for.
int padded_width(int n_columns);

/// Elements that a row of `length` takes up in a strip: bf16 stores pairs, so an odd length is one
/// more.
std::size_t padded_length(StripKind kind, std::size_t length);

/// Where element k of column c stands in quants.
[[gnu::always_inline]] constexpr std::size_t quant_index(const Strip& strip, std::size_t k, int c) {
  const std::size_t run = is_wide(strip.kind) ? kWideRun : 4;
  return (k / run * static_cast<std::size_t>(strip.width) + static_cast<std::size_t>(c)) * run +
         k % run;
}

/// Columns that filling writes: those in use, and zeros to what kernels read.
[[gnu::always_inline]] constexpr int filled_columns(const Strip& strip) {
  return is_wide(strip.kind) ? (strip.n_columns + 15) / 16 * 16 : strip.width;
}

/// Columns [first, first + n) of a wide strip, to be filled on their own; first is a multiple of
/// 16, and so is n unless they are the last.
Strip columns_of(const Strip& wide, int first, int n);

/// Bytes of a strip, a multiple of 64.
std::size_t strip_bytes(StripKind kind, int n_columns, std::size_t length);

/// A strip in `memory`, which is aligned to 64 bytes and has strip_bytes() of room.
Strip make_strip(StripKind kind, int n_columns, std::size_t length, void* memory);

/// Fills a strip. columns: [n_columns] pointers to `length` floats each.
using FillStrip = void (*)(const Strip& strip, const float* const* columns);

}  // namespace hearth::kernels
