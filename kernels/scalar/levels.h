// What a quantised element can be, as a policy for the searches in scale_search.h and min_search.h:
// the level nearest to a number, and the code that is stored for a level.
#pragma once

#include <cstdint>

#include "kernels/quant_blocks.h"
#include "kernels/scalar/lanes.h"

namespace hearth::kernels::scalar {

/// All integers from `low` to `high`; the stored code counts from `low`.
template <int low, int high>
struct IntegerLevels {
  template <class Number>
  static Number nearest(const Number& v) {
    return round_to_integer(clamp(v, static_cast<float>(low), static_cast<float>(high)));
  }
  static int code(float level) { return static_cast<int>(level) - low; }
};

/// Sixteen integers in -128..127 in any order. Midpoints of neighbours are multiples of one half,
/// so the number of half steps above -128 decides which value is nearest.
template <const std::int8_t (&values)[16]>
struct CodebookLevels {
  static float nearest(float v) { return kTables.level[half_steps(v)]; }

  static Lanes nearest(const Lanes& v) {
    const Lanes steps = clamp(v + v + Lanes(256.0f), 0.0f, kHalfSteps - 1.0f);
    float out[kLanes];
    for (int c = 0; c < kLanes; ++c) out[c] = kTables.level[static_cast<int>(steps[c])];
    return Lanes(out);
  }

  static int code(float level) { return kTables.code[half_steps(level)]; }

 private:
  static constexpr int kHalfSteps = 512;

  static int half_steps(float v) {
    return static_cast<int>(clamp(v + v + 256.0f, 0.0f, kHalfSteps - 1.0f));
  }

  struct Tables {
    float level[kHalfSteps] = {};
    std::uint8_t code[kHalfSteps] = {};
    constexpr Tables() {
      for (int i = 0; i < kHalfSteps; ++i) {
        int best = 0;
        for (int k = 1; k < 16; ++k) {
          if (distance(i, values[k]) < distance(i, values[best])) best = k;
        }
        level[i] = static_cast<float>(values[best]);
        code[i] = static_cast<std::uint8_t>(best);
      }
    }
    /// From the middle of half step i to a value, in quarters.
    static constexpr int distance(int i, int value) {
      const int off = 2 * (i - 256) + 1 - 4 * value;
      return off < 0 ? -off : off;
    }
  };
  static constexpr Tables kTables{};
};

using Iq4Levels = CodebookLevels<kIq4Values>;
using E2M1Levels = CodebookLevels<kE2M1Doubled>;  // twice the values

}  // namespace hearth::kernels::scalar
