// The search for scales: given floats x[n], find the scale d and levels q that make
// sum (x - d q)^2 small. Shared by every type without an offset; min_search.h has the others.
//
// For a fixed d the best q is the nearest level; for fixed q the best d is sum xq / sum qq. Those
// two steps alone end in the nearest local minimum, so the search begins at a grid of scales, takes
// the best of the grid, and then alternates, ending with the scale as it is stored (rounded to
// half, or to a multiple of the super-block's).
//
// Eight scales are tried together, a lane each: no sum crosses lanes, so its order is always that
// of the elements.
#pragma once

#include "kernels/half.h"
#include "kernels/scalar/levels.h"

namespace hearth::kernels::scalar {

/// Elements below this are zero in every type with half scales, whose least step is 2^-24.
inline constexpr float kNegligible = 0x1p-30f;

/// Of the lanes that try what lies around a number, the one that tries the number itself.
inline constexpr int kMiddleLane = kLanes / 2;

inline constexpr float kLargestHalf = 65504.0f;

inline float abs_of(float v) {
  return v < 0.0f ? -v : v;
}

/// a / b for b >= 0; 0 where there is nothing to divide by.
inline float ratio(float a, float b) {
  return b > 0.0f ? a / b : 0.0f;
}

/// The half nearest to a finite `v`, saturated: a scale is never infinite.
inline Half to_scale(float v) {
  return f32_to_f16(clamp(v, -kLargestHalf, kLargestHalf));
}

/// Copies n elements. What a block cannot hold gets a defined meaning: NaN counts as 0, and
/// magnitudes end at `limit`; the default is above what any type with half scales can represent.
inline void load_finite(const float* in, float* x, int n, float limit = 0x1p40f) {
  for (int i = 0; i < n; ++i) x[i] = in[i] == in[i] ? clamp(in[i], -limit, limit) : 0.0f;
}

/// The element of the largest magnitude, with its sign.
inline float extreme(const float* x, int n) {
  float found = 0.0f;
  for (int i = 0; i < n; ++i) {
    if (abs_of(x[i]) > abs_of(found)) found = x[i];
  }
  return found;
}

inline float sum_of_squares(const float* x, int n) {
  float sum = 0.0f;
  for (int i = 0; i < n; ++i) sum += x[i] * x[i];
  return sum;
}

inline constexpr int kMaxGrid = 16;

/// The scales to begin with: those that put the extreme element at first, first + step, … levels
/// from zero. Each is tried with both signs, because the levels are not symmetric.
struct Grid {
  float first;
  float step;
  int count;  // a multiple of kLanes / 2, at most kMaxGrid
};

struct ScaleFit {
  float scale = 0.0f;
  float qq = 0.0f;  // sum of squared levels: how much an error of the scale costs
};

/// The sums that make a fit, for eight scales.
struct FitSums {
  Lanes xq;
  Lanes qq;
  Lanes gain;  // what the squared error is less than with scale 0: (sum xq)^2 / sum qq
};

template <class Levels>
inline FitSums sum_levels(const float* x, int n, const Lanes& inverse) {
  FitSums sums;
  for (int i = 0; i < n; ++i) {
    const Lanes v = x[i];
    const Lanes q = Levels::nearest(v * inverse);
    sums.xq += v * q;
    sums.qq += q * q;
  }
  sums.gain = sums.xq * sums.xq / where_less(0.0f, sums.qq, sums.qq, 1.0f);
  return sums;
}

/// The best scale of the grid, after least squares; zero if all of x is. Among scales that are as
/// good, the smallest: where one element is so large that all others become zero, every scale that
/// hits it is as good, and a large one would leave its neighbours in the super-block a coarse unit.
template <class Levels>
inline ScaleFit fit_scale(const float* x, int n, const Grid& grid) {
  constexpr float kAsGood = 1e-3f;  // of the error
  const float largest = extreme(x, n);
  if (abs_of(largest) < kNegligible) return {};
  constexpr int kPairs = kLanes / 2;
  FitSums sums[kMaxGrid / kPairs];
  float best_gain = 0.0f;
  for (int first = 0; first < grid.count; first += kPairs) {
    float at[kLanes];
    for (int c = 0; c < kLanes; ++c) {
      const int pair = first + c / 2;
      const float level = grid.first + grid.step * static_cast<float>(pair);
      at[c] = c % 2 ? -level : level;
    }
    FitSums& found = sums[first / kPairs];
    found = sum_levels<Levels>(x, n, Lanes(at) / largest);
    const float gain = found.gain[largest_lane(found.gain)];
    if (gain > best_gain) best_gain = gain;
  }
  const float enough = best_gain - kAsGood * (sum_of_squares(x, n) - best_gain);
  ScaleFit best;
  for (int first = 0; first < grid.count; first += kPairs) {
    const FitSums& found = sums[first / kPairs];
    const int c = largest_lane(where_less(found.gain, enough, 0.0f, found.qq));
    if (found.gain[c] >= enough && found.qq[c] > best.qq) {
      best = {ratio(found.xq[c], found.qq[c]), found.qq[c]};
    }
  }
  return best;
}

/// What becomes of n elements at eight scales.
struct Rounding {
  Lanes error;  // sum (x - scale * q)^2
  Lanes xq;
  Lanes qq;
};

/// A scale of zero makes every element zero.
template <class Levels>
inline Rounding round_at(const float* x, int n, const Lanes& scale) {
  const Lanes inverse = inverse_or_zero(scale);
  Rounding out;
  for (int i = 0; i < n; ++i) {
    const Lanes v = x[i];
    const Lanes q = Levels::nearest(v * inverse);
    const Lanes off = v - scale * q;
    out.error += off * off;
    out.xq += v * q;
    out.qq += q * q;
  }
  return out;
}

/// The halves around the one nearest to `v`, one a lane. Where halves are coarse, the nearest is
/// not always the best.
struct Halves {
  Half stored[kLanes];
  Lanes value;

  explicit Halves(float v) {
    const int nearest = to_scale(v);
    float wide[kLanes];
    for (int c = 0; c < kLanes; ++c) {
      const int magnitude = (nearest & 0x7fff) + c - kMiddleLane;
      const int bounded = magnitude < 0 ? 0 : magnitude > 0x7bff ? 0x7bff : magnitude;
      stored[c] = static_cast<Half>((nearest & 0x8000) | bounded);
      wide[c] = f16_to_f32(stored[c]);
    }
    value = Lanes(wide);
  }
};

/// The scale that a block stores as a half: from the grid's best, alternately rounding to half and
/// fitting again.
template <class Levels>
inline Half search_half_scale(const float* x, int n, const Grid& grid) {
  constexpr int kRounds = 3;
  float scale = fit_scale<Levels>(x, n, grid).scale;
  Half best = 0;
  float best_error = sum_of_squares(x, n);
  for (int round = 0; round < kRounds; ++round) {
    const Halves tried(scale);
    const Rounding made = round_at<Levels>(x, n, tried.value);
    const int c = smallest_lane(made.error);
    if (!(made.error[c] < best_error)) break;
    best_error = made.error[c];
    best = tried.stored[c];
    scale = ratio(made.xq[c], made.qq[c]);
  }
  return best;
}

/// A unit of which all `value[n]` are nearly integer multiples: of those that make the largest
/// value `first` … `last` units, the one with the least sum of weight * error^2.
inline float search_unit(const float* value, const float* weight, int n, int first, int last) {
  const float largest = extreme(value, n);
  if (largest == 0.0f) return 0.0f;
  float best = 0.0f;
  float best_error = 0.0f;
  for (int most = last; most >= first; most -= kLanes) {
    const Lanes units = Lanes(static_cast<float>(most)) - lane_numbers();
    const Lanes unit = Lanes(largest) / units;
    const Lanes inverse = units / Lanes(largest);
    Lanes error;
    for (int j = 0; j < n; ++j) {
      const Lanes off = Lanes(value[j]) - unit * round_to_integer(Lanes(value[j]) * inverse);
      error += Lanes(weight[j]) * off * off;
    }
    const int c = smallest_lane(error);
    if (most == last || error[c] < best_error) {
      best_error = error[c];
      best = unit[c];
    }
  }
  return best;
}

/// A super-block of `subs` sub-blocks whose scales are integers in [low, high] times d.
template <int subs>
struct SuperScales {
  Half d = 0;
  int scale[subs] = {};
};

struct SuperGrid {
  Grid grid;  // for the scales of the sub-blocks
  int low;    // the integer scales
  int high;
  int units;  // the least integer that the largest scale may become
};

/// Sums of a super-block for one more step of least squares.
struct SuperRounding {
  float error = 0.0f;
  float xq = 0.0f;  // q here is level * integer scale: x ~ d * q
  float qq = 0.0f;
};

/// Chooses the integer scale of every sub-block for a given d, by the error that it really makes.
template <class Levels, int subs, int n>
inline SuperRounding choose_scales(const float* x, const ScaleFit* fit, const SuperGrid& super,
                                   SuperScales<subs>& scales) {
  const float d = f16_to_f32(scales.d);
  const float inverse = d == 0.0f ? 0.0f : 1.0f / d;
  SuperRounding total;
  for (int s = 0; s < subs; ++s) {
    const float middle = round_to_integer(fit[s].scale * inverse);
    const Lanes integer = clamp(Lanes(middle - kMiddleLane) + lane_numbers(),
                                static_cast<float>(super.low), static_cast<float>(super.high));
    const Rounding made = round_at<Levels>(x + s * n, n, Lanes(d) * integer);
    const int c = smallest_lane(made.error);
    scales.scale[s] = static_cast<int>(integer[c]);
    total.error += made.error[c];
    total.xq += integer[c] * made.xq[c];
    total.qq += integer[c] * integer[c] * made.qq[c];
  }
  return total;
}

/// d and the integer scales of a super-block x[subs * n].
template <class Levels, int subs, int n>
inline SuperScales<subs> search_super_scales(const float* x, const SuperGrid& super) {
  constexpr int kRounds = 3;
  ScaleFit fit[subs];
  float value[subs];
  float weight[subs];
  for (int s = 0; s < subs; ++s) {
    fit[s] = fit_scale<Levels>(x + s * n, n, super.grid);
    value[s] = fit[s].scale;
    weight[s] = fit[s].qq;
  }
  SuperScales<subs> best;
  float best_error = sum_of_squares(x, subs * n);
  float d = search_unit(value, weight, subs, super.units, super.high);
  for (int round = 0; round < kRounds; ++round) {
    SuperScales<subs> tried;
    tried.d = to_scale(d);
    const SuperRounding made = choose_scales<Levels, subs, n>(x, fit, super, tried);
    if (!(made.error < best_error)) break;
    best_error = made.error;
    best = tried;
    d = ratio(made.xq, made.qq);
  }
  return best;
}

/// The stored codes of n elements at a scale.
template <class Levels>
inline void encode(const float* x, int n, float scale, std::uint8_t* code) {
  const float inverse = scale == 0.0f ? 0.0f : 1.0f / scale;
  for (int i = 0; i < n; ++i) {
    code[i] = static_cast<std::uint8_t>(Levels::code(Levels::nearest(x[i] * inverse)));
  }
}

}  // namespace hearth::kernels::scalar
