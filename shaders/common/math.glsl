// Functions whose built-in forms Vulkan leaves too inexact: sin and cos may be off by 2^-11, and half-precision numbers
// below the normal range may be taken for zero.

/// The binary16 number in the lower 16 bits. Without a branch, so that loads around it may be moved.
float f16(uint bits) {
  const uint magnitude = bits & 0x7FFFu;
  const float small = float(magnitude) * 5.9604644775390625e-8;  // 2^-24
  const float tiny = (bits & 0x8000u) != 0u ? -small : small;
  return magnitude >= 0x400u ? unpackHalf2x16(bits & 0xFFFFu).x : tiny;
}

/// tanh x: by e^2x, and by its series where that would cancel.
float tanh_exact(float x) {
  const float a = abs(x);
  if (a < 0.25) {
    const float s = x * x;
    return x * (1.0 + s * (-1.0 / 3.0 + s * (2.0 / 15.0 + s * (-17.0 / 315.0 + s * (62.0 / 2835.0)))));
  }
  const float y = 1.0 - 2.0 / (exp(2.0 * min(a, 20.0)) + 1.0);
  if (isnan(x)) return x;
  return x < 0.0 ? -y : y;
}

/// The error function: Taylor's series near 0, then Abramowitz and Stegun 7.1.26 (within 1.5e-7).
float erf_exact(float x) {
  const float a = abs(x);
  if (a < 0.5) {
    const float s = x * x;
    return 1.1283791671 * x *
           (1.0 + s * (-1.0 / 3.0 + s * (1.0 / 10.0 + s * (-1.0 / 42.0 + s * (1.0 / 216.0 - s / 1320.0)))));
  }
  const float t = 1.0 / (1.0 + 0.3275911 * a);
  const float p =
      t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  const float y = 1.0 - p * exp(-a * a);
  if (isnan(x)) return x;
  return x < 0.0 ? -y : y;
}

/// Cosine and sine of a part of a turn: 2^32 is a whole one. By series within an eighth of a turn of the axes.
vec2 turn(uint part) {
  const uint quadrant = (part + 0x20000000u) >> 30;
  const float angle = float(int(part - (quadrant << 30))) * 1.4629180792671596e-9;  // 2 pi / 2^32
  const float s = angle * angle;
  const float c = 1.0 + s * (-0.5 + s * (1.0 / 24.0 + s * (-1.0 / 720.0 + s / 40320.0)));
  const float d = angle * (1.0 + s * (-1.0 / 6.0 + s * (1.0 / 120.0 + s * (-1.0 / 5040.0 + s / 362880.0))));
  switch (quadrant & 3u) {
    case 0u: return vec2(c, d);
    case 1u: return vec2(-d, c);
    case 2u: return vec2(-c, -d);
    default: return vec2(d, -c);
  }
}
