#include "tests/kernels/block_oracle.h"

#include <cmath>
#include <limits>

namespace hearth::testing {
namespace {

/// `count` bits of byte `at`, from bit `low` on.
int bits(const std::uint8_t* block, int at, int low, int count) {
  return block[at] / (1 << low) % (1 << count);
}

int signed_byte(const std::uint8_t* block, int at) {
  return block[at] < 128 ? block[at] : block[at] - 256;
}

double half(const std::uint8_t* block, int at) {
  const int low = block[at];
  const int high = block[at + 1];
  const int fraction = low + 256 * (high % 4);
  const int exponent = high / 4 % 32;
  const double sign = high < 128 ? 1 : -1;
  if (exponent == 31) return fraction ? std::nan("") : sign * HUGE_VAL;
  return exponent ? sign * std::ldexp(1024 + fraction, exponent - 25)
                  : sign * std::ldexp(fraction, -24);
}

double f32(const std::uint8_t* block) {
  const int exponent = block[3] % 128 * 2 + block[2] / 128;
  const int fraction = block[0] + 256 * block[1] + 65536 * (block[2] % 128);
  const double sign = block[3] < 128 ? 1 : -1;
  if (exponent == 255) return fraction ? std::nan("") : sign * HUGE_VAL;
  return exponent ? sign * std::ldexp(8388608 + fraction, exponent - 150)
                  : sign * std::ldexp(fraction, -149);
}

double bf16(const std::uint8_t* block) {
  const std::uint8_t wide[4] = {0, 0, block[0], block[1]};
  return f32(wide);
}

/// A nibble of 32 elements in 16 bytes that begin at `at`.
int nibble32(const std::uint8_t* block, int at, int i) {
  return bits(block, at + i % 16, i / 16 * 4, 4);
}

double q4_0(const std::uint8_t* b, int i) {
  return half(b, 0) * (nibble32(b, 2, i) - 8);
}

double q4_1(const std::uint8_t* b, int i) {
  return half(b, 0) * nibble32(b, 4, i) + half(b, 2);
}

double q5_0(const std::uint8_t* b, int i) {
  return half(b, 0) * (nibble32(b, 6, i) + 16 * bits(b, 2 + i / 8, i % 8, 1) - 16);
}

double q5_1(const std::uint8_t* b, int i) {
  return half(b, 0) * (nibble32(b, 8, i) + 16 * bits(b, 4 + i / 8, i % 8, 1)) + half(b, 2);
}

double q8_0(const std::uint8_t* b, int i) {
  return half(b, 0) * signed_byte(b, 2 + i);
}

double q2_k(const std::uint8_t* b, int i) {
  const int scale = bits(b, i / 16, 0, 4);
  const int min = bits(b, i / 16, 4, 4);
  const int q = bits(b, 16 + i / 128 * 32 + i % 32, i % 128 / 32 * 2, 2);
  return half(b, 80) * scale * q - half(b, 82) * min;
}

double q3_k(const std::uint8_t* b, int i) {
  const int s = i / 16;
  const int scale = bits(b, 96 + s % 8, s / 8 * 4, 4) + 16 * bits(b, 104 + s % 4, s / 4 * 2, 2);
  const int q =
      bits(b, 32 + i / 128 * 32 + i % 32, i % 128 / 32 * 2, 2) + 4 * bits(b, i % 32, i / 32, 1);
  return half(b, 108) * (scale - 32) * (q - 4);
}

/// Six-bit numbers of Q4_K and Q5_K: `kind` 0 is the scale, 1 the minimum of sub-block `s`.
int six_bits(const std::uint8_t* b, int s, int kind) {
  const int first = 4 + 4 * kind;
  if (s < 4) return bits(b, first + s, 0, 6);
  return bits(b, 8 + s, 4 * kind, 4) + 16 * bits(b, first + s - 4, 6, 2);
}

double q4_k(const std::uint8_t* b, int i) {
  const int q = bits(b, 16 + i / 64 * 32 + i % 32, i / 32 % 2 * 4, 4);
  return half(b, 0) * six_bits(b, i / 32, 0) * q - half(b, 2) * six_bits(b, i / 32, 1);
}

double q5_k(const std::uint8_t* b, int i) {
  const int q =
      bits(b, 48 + i / 64 * 32 + i % 32, i / 32 % 2 * 4, 4) + 16 * bits(b, 16 + i % 32, i / 32, 1);
  return half(b, 0) * six_bits(b, i / 32, 0) * q - half(b, 2) * six_bits(b, i / 32, 1);
}

double q6_k(const std::uint8_t* b, int i) {
  const int q = bits(b, i / 128 * 64 + i % 64, i % 128 / 64 * 4, 4) +
                16 * bits(b, 128 + i / 128 * 32 + i % 32, i % 128 / 32 * 2, 2);
  return half(b, 208) * signed_byte(b, 192 + i / 16) * (q - 32);
}

double iq4_value(int q) {
  constexpr int kValues[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                               1,    13,   25,  38,  53,  69,  89,  113};
  return kValues[q];
}

double iq4_nl(const std::uint8_t* b, int i) {
  return half(b, 0) * iq4_value(nibble32(b, 2, i));
}

double iq4_xs(const std::uint8_t* b, int i) {
  const int s = i / 32;
  const int scale = bits(b, 4 + s / 2, s % 2 * 4, 4) + 16 * bits(b, 2 + s / 4, s % 4 * 2, 2);
  return half(b, 0) * (scale - 32) * iq4_value(nibble32(b, 8 + 16 * s, i % 32));
}

double mxfp4(const std::uint8_t* b, int i) {
  if (b[0] == 255) return std::nan("");
  const int q = nibble32(b, 1, i);
  const int exponent = q / 2 % 4;
  const double magnitude = exponent ? std::ldexp(1 + 0.5 * (q % 2), exponent - 1) : 0.5 * (q % 2);
  return (q < 8 ? 1 : -1) * std::ldexp(magnitude, b[0] - 127);
}

}  // namespace

double oracle_element(QuantType type, const std::uint8_t* block, int i) {
  switch (type) {
    case QuantType::F32:
      return f32(block);
    case QuantType::F16:
      return half(block, 0);
    case QuantType::BF16:
      return bf16(block);
    case QuantType::Q4_0:
      return q4_0(block, i);
    case QuantType::Q4_1:
      return q4_1(block, i);
    case QuantType::Q5_0:
      return q5_0(block, i);
    case QuantType::Q5_1:
      return q5_1(block, i);
    case QuantType::Q8_0:
      return q8_0(block, i);
    case QuantType::Q2_K:
      return q2_k(block, i);
    case QuantType::Q3_K:
      return q3_k(block, i);
    case QuantType::Q4_K:
      return q4_k(block, i);
    case QuantType::Q5_K:
      return q5_k(block, i);
    case QuantType::Q6_K:
      return q6_k(block, i);
    case QuantType::IQ4_NL:
      return iq4_nl(block, i);
    case QuantType::IQ4_XS:
      return iq4_xs(block, i);
    case QuantType::MXFP4:
      return mxfp4(block, i);
    default:
      return std::numeric_limits<double>::quiet_NaN();
  }
}

}  // namespace hearth::testing
