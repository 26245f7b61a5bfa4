// Eight floats that are computed together: the vector types of GCC and clang, which every target
// has (as SSE2, as NEON, or lane by lane). A lane's result is that of the same operations on one
// float, so nothing depends on the target.
#pragma once

namespace hearth::kernels::scalar {

inline constexpr int kLanes = 8;

struct Lanes {
  using Half4 = float __attribute__((vector_size(16)));
  Half4 part[2] = {};

  Lanes() = default;
  Lanes(float v) : part{{v, v, v, v}, {v, v, v, v}} {}  // NOLINT: a float is eight equal lanes

  explicit Lanes(const float* v) : part{{v[0], v[1], v[2], v[3]}, {v[4], v[5], v[6], v[7]}} {}

  float operator[](int lane) const { return part[lane / 4][lane % 4]; }

  Lanes& operator+=(const Lanes& b) { return *this = *this + b; }

  friend Lanes operator+(const Lanes& a, const Lanes& b) {
    return {a.part[0] + b.part[0], a.part[1] + b.part[1]};
  }
  friend Lanes operator-(const Lanes& a, const Lanes& b) {
    return {a.part[0] - b.part[0], a.part[1] - b.part[1]};
  }
  friend Lanes operator*(const Lanes& a, const Lanes& b) {
    return {a.part[0] * b.part[0], a.part[1] * b.part[1]};
  }
  friend Lanes operator/(const Lanes& a, const Lanes& b) {
    return {a.part[0] / b.part[0], a.part[1] / b.part[1]};
  }

  /// Lane by lane: `yes` where a < b, else `no`.
  friend Lanes where_less(const Lanes& a, const Lanes& b, const Lanes& yes, const Lanes& no) {
    return {a.part[0] < b.part[0] ? yes.part[0] : no.part[0],
            a.part[1] < b.part[1] ? yes.part[1] : no.part[1]};
  }

 private:
  Lanes(Half4 a, Half4 b) : part{a, b} {}
};

/// 0, 1, … 7.
inline Lanes lane_numbers() {
  constexpr float kNumbers[kLanes] = {0, 1, 2, 3, 4, 5, 6, 7};
  return Lanes(kNumbers);
}

/// 1 / v, and 0 where v is 0.
inline Lanes inverse_or_zero(const Lanes& v) {
  const Lanes zero(0.0f);
  const Lanes positive_zero = where_less(v, zero, 1.0f, where_less(zero, v, 1.0f, zero));
  return positive_zero / (v + (Lanes(1.0f) - positive_zero));
}

inline float clamp(float v, float low, float high) {
  const float raised = v < low ? low : v;
  return raised > high ? high : raised;
}

inline Lanes clamp(const Lanes& v, float low, float high) {
  const Lanes raised = where_less(v, low, low, v);
  return where_less(high, raised, high, raised);
}

/// The nearest integer, ties to even, for |v| < 2^22; beyond, something near v.
template <class Number>
inline Number round_to_integer(const Number& v) {
  const Number shift(12582912.0f);  // 1.5 * 2^23: floats there are one apart
  return (v + shift) - shift;
}

/// The largest lane; the first of equals.
inline int largest_lane(const Lanes& v) {
  int best = 0;
  for (int c = 1; c < kLanes; ++c) {
    if (v[c] > v[best]) best = c;
  }
  return best;
}

inline int smallest_lane(const Lanes& v) {
  return largest_lane(Lanes(0.0f) - v);
}

}  // namespace hearth::kernels::scalar
