// The polynomials behind exp, tanh and erfc in float, highest power first: minimax fits, made for
// this project, of the expressions given. Shared by the statement and all levels.
#pragma once

namespace hearth::kernels {

// e^x = 2^n e^r, n the integer nearest to x / ln 2, |r| <= ln 2 / 2.
inline constexpr float kLog2E = 0x1.715476p+0F;
inline constexpr float kLn2High = 0x1.62e43p-1F;
inline constexpr float kLn2Low = -0x1.05c61p-29F;
/// 1.5 * 2^23 + 127. Floats there are one apart, so that adding it rounds to an integer, and leaves
/// the bits of n + 127, the exponent of 2^n, at the low end.
inline constexpr float kExpShift = 12583039.0F;
inline constexpr float kExpLowest = -87.0F;  // below it e^x is taken as 0: 2^n would be subnormal
inline constexpr float kExpHighest = 88.0F;  // above it e^x is taken as infinite
/// (e^r - 1 - r) / r^2, to 3e-9 of e^r.
inline constexpr float kExp[] = {0x1.6a242p-10F, 0x1.1239ecp-7F, 0x1.5558f2p-5F, 0x1.555492p-3F,
                                 0x1.fffffcp-2F};

/// (tanh x - x) / x^3 as a polynomial in x^2, |x| <= 5 / 8, to 5e-9 of tanh x.
inline constexpr float kTanhSmall = 0.625F;
inline constexpr float kTanh[] = {-0x1.75e1a8p-8F, 0x1.522692p-6F, -0x1.b83c58p-5F, 0x1.110726p-3F,
                                  -0x1.555532p-2F};

/// e^(x^2) erfc(x) as a polynomial in 1 / (1 + x / 2), 0 <= x <= 10, to 4e-8 of itself.
inline constexpr float kErfc[] = {-0x1.c2fbb6p-5F, 0x1.0e3d1cp-2F,  -0x1.c413dp-2F, 0x1.c50274p-3F,
                                  0x1.17bcacp-6F,  0x1.73341ep-3F,  0x1.ff937p-3F,  0x1.1fd84cp-2F,
                                  0x1.20fea4p-2F,  -0x1.93615ep-18F};

inline constexpr float kSqrtHalf = 0x1.6a09e6p-1F;
// gelu by tanh (arXiv 1606.08415) is x / (1 + e^(x (b x^2 + a))): a = -2 sqrt(2 / pi), b = 0.044715
// a.
inline constexpr float kGeluA = -0x1.988454p0F;
inline constexpr float kGeluB = -0x1.2444f2p-4F;

}  // namespace hearth::kernels
