// The packed 6-bit numbers of the K types, in one place for dequantisers and quantisers. The layout
// is in kernels/quant_blocks.h.
#pragma once

#include <cstdint>

namespace hearth::kernels::scalar {

/// scales[12] of Q4_K and Q5_K: scale and minimum of eight sub-blocks, each in 0..63.
struct ScalesAndMins {
  std::uint8_t scale[8];
  std::uint8_t min[8];
};

inline ScalesAndMins unpack_scales_and_mins(const std::uint8_t* packed) {
  ScalesAndMins out;
  for (int i = 0; i < 4; ++i) {
    out.scale[i] = packed[i] & 63;
    out.min[i] = packed[4 + i] & 63;
    out.scale[4 + i] = static_cast<std::uint8_t>((packed[8 + i] & 15) | (packed[i] >> 6) << 4);
    out.min[4 + i] = static_cast<std::uint8_t>(packed[8 + i] >> 4 | (packed[4 + i] >> 6) << 4);
  }
  return out;
}

inline void pack_scales_and_mins(const ScalesAndMins& in, std::uint8_t* packed) {
  for (int i = 0; i < 4; ++i) {
    packed[i] = static_cast<std::uint8_t>(in.scale[i] | (in.scale[4 + i] >> 4) << 6);
    packed[4 + i] = static_cast<std::uint8_t>(in.min[i] | (in.min[4 + i] >> 4) << 6);
    packed[8 + i] = static_cast<std::uint8_t>((in.scale[4 + i] & 15) | (in.min[4 + i] & 15) << 4);
  }
}

/// scales[12] of Q3_K: sixteen numbers in 0..63 (the scale plus 32).
inline void unpack_q3_k_scales(const std::uint8_t* packed, std::uint8_t* scale) {
  for (int i = 0; i < 16; ++i) {
    const int low = i < 8 ? packed[i] & 15 : packed[i - 8] >> 4;
    const int high = packed[8 + i % 4] >> (2 * (i / 4)) & 3;
    scale[i] = static_cast<std::uint8_t>(low | high << 4);
  }
}

inline void pack_q3_k_scales(const std::uint8_t* scale, std::uint8_t* packed) {
  for (int i = 0; i < 8; ++i) {
    packed[i] = static_cast<std::uint8_t>((scale[i] & 15) | (scale[8 + i] & 15) << 4);
  }
  for (int i = 0; i < 4; ++i) {
    packed[8 + i] = static_cast<std::uint8_t>(scale[i] >> 4 | (scale[4 + i] >> 4) << 2 |
                                              (scale[8 + i] >> 4) << 4 | (scale[12 + i] >> 4) << 6);
  }
}

}  // namespace hearth::kernels::scalar
