#include "kernels/scalar/quantize_strip.h"

#include <bit>

#include "kernels/half.h"

namespace hearth::kernels::scalar {
namespace {

constexpr float kInfinity = __builtin_inff();

// A strip's parts are read-only to the kernels; filling it is the one time that they are written.
template <class Element>
Element& at(const Element* part, std::size_t row, const Strip& strip, int c) {
  return const_cast<Element*>(
      part)[row * static_cast<std::size_t>(strip.width) + static_cast<std::size_t>(c)];
}

/// Element k of column c, 0 in the padding.
float input(const Strip& strip, const float* const* columns, std::size_t k, int c) {
  return c < strip.n_columns && k < strip.length ? columns[c][k] : 0.0F;
}

float absolute(float v) {
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(v) & 0x7fffffffu);
}

/// To the nearest integer, ties to even, for |v| <= 127.
int nearest(float v) {
  constexpr float kShift = 12582912.0F;  // 1.5 * 2^23: floats there are one apart
  return std::bit_cast<std::int32_t>(v + kShift) - std::bit_cast<std::int32_t>(kShift);
}

/// The squared error of a block that is quantised to this end, up to a factor. Lane j adds up
/// elements j, j + 4, ...; then the lanes 2 and 1 apart are added.
float squared_error(const Strip& strip, const float* const* columns, std::size_t first,
                    std::size_t n, int c, float end, float largest) {
  float lane[4] = {};
  for (std::size_t k = 0; k < n; ++k) {
    const float v = input(strip, columns, first + k, c) * (end * (1.0F / largest));
    const float off = v - static_cast<float>(nearest(v));
    lane[k % 4] = __builtin_fmaf(off, off, lane[k % 4]);
  }
  return ((lane[0] + lane[2]) + (lane[1] + lane[3])) / (end * end);
}

/// The end with the least squared error; the larger one of equals.
float best_end(const Strip& strip, const float* const* columns, std::size_t first, std::size_t n,
               int c, float largest) {
  float best = kLargestEnd;
  float least = squared_error(strip, columns, first, n, c, best, largest);
  for (int e = kLargestEnd - 1; e >= kSmallestEnd; --e) {
    const auto end = static_cast<float>(e);
    const float error = squared_error(strip, columns, first, n, c, end, largest);
    if (error < least) {
      least = error;
      best = end;
    }
  }
  return best;
}

/// Quantises elements [first, first + n) of a column; returns the scale.
float quantize(const Strip& strip, const float* const* columns, std::size_t first, std::size_t n,
               int c) {
  float largest = 0.0F;
  bool are_numbers = true;
  for (std::size_t k = first; k < first + n; ++k) {
    const float v = absolute(input(strip, columns, k, c));
    largest = v > largest ? v : largest;
    are_numbers = are_numbers && v < kInfinity;
  }
  const bool is_zero = !are_numbers || largest < kSmallestBlock;
  const float end = is_zero ? kLargestEnd : best_end(strip, columns, first, n, c, largest);
  const float inverse = is_zero ? 0.0F : end * (1.0F / largest);
  auto* quants = const_cast<std::int8_t*>(strip.quants);
  for (std::size_t k = first; k < first + n; ++k) {
    const int q = is_zero ? 0 : nearest(input(strip, columns, k, c) * inverse);
    quants[quant_index(strip, k, c)] = static_cast<std::int8_t>(q);
  }
  if (!are_numbers) return kNoNumber;
  return is_zero ? 0.0F : largest / end;
}

/// Sum of quants [first, first + n).
int sum(const Strip& strip, std::size_t first, std::size_t n, int c) {
  int total = 0;
  for (std::size_t k = first; k < first + n; ++k) total += strip.quants[quant_index(strip, k, c)];
  return total;
}

std::uint32_t pack_pair(int early, int late) {
  return (static_cast<std::uint32_t>(early) & 0xffffu) | static_cast<std::uint32_t>(late) << 16;
}

}  // namespace

void fill_strip_f32(const Strip& strip, const float* const* columns) {
  for (std::size_t k = 0; k < strip.length; ++k) {
    for (int c = 0; c < strip.width; ++c) {
      at(strip.floats, k, strip, c) = input(strip, columns, k, c);
    }
  }
}

void fill_strip_bf16(const Strip& strip, const float* const* columns) {
  for (std::size_t k = 0; k < strip.length; k += 2) {
    for (int c = 0; c < strip.width; ++c) {
      at(strip.pairs, k / 2, strip, c) = pack_pair(f32_to_bf16(input(strip, columns, k, c)),
                                                   f32_to_bf16(input(strip, columns, k + 1, c)));
    }
  }
}

void fill_strip_q8_32(const Strip& strip, const float* const* columns) {
  for (int c = 0; c < filled_columns(strip); ++c) {
    for (std::size_t b = 0; b < strip.length / 32; ++b) {
      at(strip.scales, b, strip, c) = quantize(strip, columns, b * 32, 32, c);
      at(strip.bias, b, strip, c) = -128 * sum(strip, b * 32, 32, c);
    }
  }
}

void fill_strip_q8_128(const Strip& strip, const float* const* columns) {
  for (int c = 0; c < filled_columns(strip); ++c) {
    for (std::size_t b = 0; b < strip.length / 128; ++b) {
      at(strip.scales, b, strip, c) = quantize(strip, columns, b * 128, 128, c);
    }
    for (std::size_t s = 0; s < strip.length / 16; ++s) {
      at(strip.bias, s, strip, c) = -128 * sum(strip, s * 16, 16, c);
    }
    for (std::size_t p = 0; p < strip.length / 64; ++p) {
      at(strip.sum_pairs, p, strip, c) =
          pack_pair(sum(strip, p * 64, 32, c), sum(strip, p * 64 + 32, 32, c));
    }
  }
}

}  // namespace hearth::kernels::scalar
