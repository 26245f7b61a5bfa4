// The search for a scale and an offset: given floats x[n], find s and m that make
// sum (x - (s q - m))^2 small, q in 0..top. The plan is that of scale_search.h with one more
// unknown: a grid of ranges, least squares for s and m, and a search among the stored values.
#pragma once

#include "kernels/scalar/scale_search.h"

namespace hearth::kernels::scalar {

/// x ~ scale * q - min.
struct MinFit {
  float scale = 0.0f;
  float min = 0.0f;
};

/// The ranges to begin with: the smallest element at level a, the largest at top - b, where both go
/// up from `low` (below zero, the range is cut short): b in kLanes steps of `step`, a over the same
/// stretch in `rows` steps.
struct RangeGrid {
  float low;
  float step;
  int rows;
};

/// Whether the offset is stored with a sign. Without one, min >= 0.
enum class MinSign { kPositive, kAny };

/// Sums over elements whose levels are known: what least squares needs besides n and sum x.
struct LevelSums {
  float q = 0.0f;
  float qq = 0.0f;
  float xq = 0.0f;
};

/// Least squares for scale and min with the levels fixed.
inline MinFit solve(int n, float x, const LevelSums& sums, MinSign sign) {
  const float count = static_cast<float>(n);
  const float variance = sums.qq - sums.q * sums.q / count;
  if (variance > 0.0f) {
    const float scale = (sums.xq - x * sums.q / count) / variance;
    const float min = (scale * sums.q - x) / count;
    if (min >= 0.0f || sign == MinSign::kAny) return {scale, min};
  }
  return {ratio(sums.xq, sums.qq), 0.0f};
}

/// By how much that solution makes the squared error smaller than zeros would, in eight lanes.
inline Lanes gain_of(int n, float x, const Lanes& q, const Lanes& qq, const Lanes& xq,
                     MinSign sign) {
  const Lanes per_element = 1.0f / static_cast<float>(n);
  const Lanes variance = qq - q * q * per_element;
  const Lanes covariance = xq - Lanes(x) * q * per_element;
  const Lanes scale = covariance / where_less(0.0f, variance, variance, 1.0f);
  const Lanes gain = covariance * scale + Lanes(x * x) * per_element;
  if (sign == MinSign::kAny) return gain;
  const Lanes without_min = xq * xq / where_less(0.0f, qq, qq, 1.0f);
  return where_less(scale * q, x, without_min, gain);
}

/// The best fit of the grid.
template <int top>
inline MinFit fit_min(const float* x, int n, const RangeGrid& grid, MinSign sign) {
  float low = sign == MinSign::kAny ? x[0] : 0.0f;
  float high = x[0];
  float sum = 0.0f;
  for (int i = 0; i < n; ++i) {
    low = x[i] < low ? x[i] : low;
    high = x[i] > high ? x[i] : high;
    sum += x[i];
  }
  if (high - low < kNegligible) return {0.0f, -low};
  LevelSums best;
  float best_gain = 0.0f;
  const Lanes at_high =
      Lanes(static_cast<float>(top) - grid.low) - Lanes(grid.step) * lane_numbers();
  const float row_step = grid.step * kLanes / static_cast<float>(grid.rows);
  for (int row = 0; row < grid.rows; ++row) {
    const float at_low = grid.low + row_step * static_cast<float>(row);
    const Lanes inverse = (at_high - Lanes(at_low)) / Lanes(high - low);
    const Lanes shift = Lanes(at_low) - Lanes(low) * inverse;
    Lanes q_sum;
    Lanes qq;
    Lanes xq;
    for (int i = 0; i < n; ++i) {
      const Lanes v = x[i];
      const Lanes q = IntegerLevels<0, top>::nearest(v * inverse + shift);
      q_sum += q;
      qq += q * q;
      xq += v * q;
    }
    const Lanes gain = gain_of(n, sum, q_sum, qq, xq, sign);
    const int c = largest_lane(gain);
    if (gain[c] > best_gain) {
      best_gain = gain[c];
      best = {q_sum[c], qq[c], xq[c]};
    }
  }
  return solve(n, sum, best, sign);
}

/// What becomes of n elements at eight pairs of scale and min.
struct MinRounding {
  Lanes error;
  Lanes q;
  Lanes qq;
  Lanes xq;

  LevelSums sums(int lane) const { return {q[lane], qq[lane], xq[lane]}; }
};

template <int top>
inline MinRounding round_at(const float* x, int n, const Lanes& scale, const Lanes& min) {
  const Lanes inverse = inverse_or_zero(scale);
  MinRounding out;
  for (int i = 0; i < n; ++i) {
    const Lanes v = x[i];
    const Lanes q = IntegerLevels<0, top>::nearest((v + min) * inverse);
    const Lanes off = v - (scale * q - min);
    out.error += off * off;
    out.q += q;
    out.qq += q * q;
    out.xq += v * q;
  }
  return out;
}

/// Scale and min as halves.
struct StoredMinFit {
  Half scale = 0;
  Half min = 0;
};

/// What a block with its own scale and offset stores: the grid's best, then alternately rounding to
/// half and fitting again.
template <int top>
inline StoredMinFit search_half_min(const float* x, int n, const RangeGrid& grid) {
  constexpr int kRounds = 3;
  float sum = 0.0f;
  for (int i = 0; i < n; ++i) sum += x[i];
  MinFit fit = fit_min<top>(x, n, grid, MinSign::kAny);
  StoredMinFit best;
  float best_error = sum_of_squares(x, n);
  for (int round = 0; round < kRounds; ++round) {
    const Halves scale(fit.scale);
    const Half min = to_scale(fit.min);
    const MinRounding made = round_at<top>(x, n, scale.value, f16_to_f32(min));
    const int c = smallest_lane(made.error);
    if (!(made.error[c] < best_error)) break;
    best_error = made.error[c];
    best = {scale.stored[c], min};
    fit = solve(n, sum, made.sums(c), MinSign::kAny);
  }
  return best;
}

/// A super-block of `subs` sub-blocks: x ~ d * scale[s] * q - dmin * min[s].
template <int subs>
struct SuperMins {
  Half d = 0;
  Half dmin = 0;
  int scale[subs] = {};
  int min[subs] = {};
};

struct SuperMinGrid {
  RangeGrid grid;  // for the fits of the sub-blocks
  int high;        // integer scales and minima are in [0, high]
  int units;       // the least integer that the largest scale may become
};

/// The normal equations for d and dmin with everything else fixed, and the error that was made.
struct NormalEquations {
  float error = 0.0f;
  float aa = 0.0f;  // a = scale * q, the factor of d
  float ab = 0.0f;
  float bb = 0.0f;  // b = min, the factor of -dmin
  float xa = 0.0f;
  float xb = 0.0f;

  void add(const NormalEquations& other) {
    error += other.error;
    aa += other.aa;
    ab += other.ab;
    bb += other.bb;
    xa += other.xa;
    xb += other.xb;
  }

  MinFit solve() const {
    const float determinant = aa * bb - ab * ab;
    if (determinant > 1e-6f * aa * bb) {
      return {(xa * bb - xb * ab) / determinant, (xa * ab - xb * aa) / determinant};
    }
    return {ratio(xa, aa), ratio(-xb, bb)};
  }
};

/// Integer scale and minimum of a sub-block, and what they make.
struct IntegerFit {
  int scale = 0;
  int min = 0;
  NormalEquations sums;
};

template <class Number>
inline Number floor_of(const Number& v) {
  return round_to_integer(v - Number(0.5f));
}

/// Chooses integer scale and minimum of one sub-block for given d and dmin by the error that they
/// really make. Tries four scales around the fit's, and for each the four minima that best keep the
/// middle of the range in its place.
template <int top, int n>
inline IntegerFit choose_scale_and_min(const float* x, const MinFit& fit, const MinFit& unit,
                                       int high) {
  constexpr int kTries = 4;
  const float limit = static_cast<float>(high);
  const float half_range = static_cast<float>(top) / 2;
  const float middle = fit.scale * half_range - fit.min;
  const float per_scale = unit.scale == 0.0f ? 0.0f : 1.0f / unit.scale;
  const float per_min = unit.min == 0.0f ? 0.0f : 1.0f / unit.min;
  const float first = floor_of(fit.scale * per_scale) - 1.0f;
  float sum = 0.0f;
  for (int i = 0; i < n; ++i) sum += x[i];
  IntegerFit best;
  for (int batch = 0; batch < kTries * kTries; batch += kLanes) {
    float scale_offset[kLanes];
    float min_offset[kLanes];
    for (int c = 0; c < kLanes; ++c) {
      const int of_scale = (batch + c) / kTries;
      const int of_min = (batch + c) % kTries;
      scale_offset[c] = static_cast<float>(of_scale);
      min_offset[c] = static_cast<float>(of_min - 1);
    }
    const Lanes scale = clamp(Lanes(first) + Lanes(scale_offset), 0.0f, limit);
    const Lanes wanted = Lanes(unit.scale * half_range) * scale - Lanes(middle);
    const Lanes min = clamp(floor_of(wanted * Lanes(per_min)) + Lanes(min_offset), 0.0f, limit);
    const MinRounding made = round_at<top>(x, n, Lanes(unit.scale) * scale, Lanes(unit.min) * min);
    const int c = smallest_lane(made.error);
    if (batch > 0 && !(made.error[c] < best.sums.error)) continue;
    const float s = scale[c];
    const float m = min[c];
    best.scale = static_cast<int>(s);
    best.min = static_cast<int>(m);
    best.sums = {made.error[c], s * s * made.qq[c], s * m * made.q[c],
                 n * m * m,     s * made.xq[c],     m * sum};
  }
  return best;
}

/// d, dmin and the integers of a super-block x[subs * n], minima not negative.
template <int top, int subs, int n>
inline SuperMins<subs> search_super_mins(const float* x, const SuperMinGrid& super) {
  constexpr int kRounds = 3;
  MinFit fit[subs];
  float scale[subs];
  float min[subs];
  float weight[subs];
  for (int s = 0; s < subs; ++s) {
    fit[s] = fit_min<top>(x + s * n, n, super.grid, MinSign::kPositive);
    scale[s] = fit[s].scale;
    min[s] = fit[s].min;
    weight[s] = 1.0f;
  }
  MinFit unit = {search_unit(scale, weight, subs, super.units, super.high),
                 search_unit(min, weight, subs, super.units, super.high)};
  SuperMins<subs> best;
  float best_error = sum_of_squares(x, subs * n);
  for (int round = 0; round < kRounds; ++round) {
    SuperMins<subs> tried;
    tried.d = to_scale(unit.scale);
    tried.dmin = to_scale(unit.min);
    const MinFit stored = {f16_to_f32(tried.d), f16_to_f32(tried.dmin)};
    NormalEquations sums;
    for (int s = 0; s < subs; ++s) {
      const IntegerFit found = choose_scale_and_min<top, n>(x + s * n, fit[s], stored, super.high);
      tried.scale[s] = found.scale;
      tried.min[s] = found.min;
      sums.add(found.sums);
    }
    if (!(sums.error < best_error)) break;
    best_error = sums.error;
    best = tried;
    unit = sums.solve();
  }
  return best;
}

/// More sub-blocks lie wholly above zero than below.
template <int subs, int n>
inline bool mostly_above_zero(const float* x) {
  int balance = 0;
  for (int s = 0; s < subs; ++s) {
    int above = 0;
    int below = 0;
    for (int i = 0; i < n; ++i) {
      above += x[s * n + i] > 0.0f;
      below += x[s * n + i] < 0.0f;
    }
    balance += (above == n) - (below == n);
  }
  return balance > 0;
}

/// The stored codes of n elements, 0..top.
template <int top>
inline void encode(const float* x, int n, float scale, float min, std::uint8_t* code) {
  const float inverse = scale == 0.0f ? 0.0f : 1.0f / scale;
  for (int i = 0; i < n; ++i) {
    code[i] = static_cast<std::uint8_t>(IntegerLevels<0, top>::nearest((x[i] + min) * inverse));
  }
}

}  // namespace hearth::kernels::scalar
