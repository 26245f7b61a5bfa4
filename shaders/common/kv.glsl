// How keys and values are stored: a head's row of one position is words of one float each, of two halves, or (Q8_0) of four
// signed bytes and then, two to a word, a scale in half precision for every 32 of them.
layout(constant_id = 1) const uint KV_TYPE = 0;  // its number in GGUF files

#define kKvHalves 1
#define kKvBytes 8

uint kv_words(uint elements) {
  switch (KV_TYPE) {
    case kKvHalves: return elements / 2;
    case kKvBytes: return elements / 4 + (elements + 63) / 64;
    default: return elements;
  }
}

/// Signed byte i of a word.
float kv_byte(uint word, uint i) { return float(bitfieldExtract(int(word), int(8 * i), 8)); }

/// Element d of a row of `dim` elements that begins at word `at` of an array. A macro, for arrays of buffers are no arguments.
#define KV_ELEMENT(words, at, d, dim)                                                                   \
  (KV_TYPE == kKvHalves  ? f16(words[(at) + (d) / 2] >> (16 * ((d) & 1)))                               \
   : KV_TYPE == kKvBytes ? kv_byte(words[(at) + (d) / 4], (d) & 3) *                                    \
                               f16(words[(at) + (dim) / 4 + (d) / 64] >> (16 * ((d) / 32 & 1)))         \
                         : uintBitsToFloat(words[(at) + (d)]))

/// Elements 8 piece to 8 piece + 7 of a row, zeros past its end: in as wide a read as its type and its place allow. `vectors` are the
/// same words by four.
#define KV_EIGHT(words, vectors, at, piece, dim, a, b)                                                  \
  {                                                                                                     \
    if (KV_TYPE == kKvHalves && (dim) % 8 == 0) {                                                       \
      const uvec4 eight = vectors[(at) / 4 + (piece)];                                                  \
      a = vec4(f16(eight.x), f16(eight.x >> 16), f16(eight.y), f16(eight.y >> 16));                     \
      b = vec4(f16(eight.z), f16(eight.z >> 16), f16(eight.w), f16(eight.w >> 16));                     \
    } else if (KV_TYPE != kKvHalves && KV_TYPE != kKvBytes && (dim) % 8 == 0) {                         \
      a = uintBitsToFloat(vectors[(at) / 4 + 2 * (piece)]);                                             \
      b = uintBitsToFloat(vectors[(at) / 4 + 2 * (piece) + 1]);                                         \
    } else {                                                                                            \
      [[unroll]] for (uint e = 0; e < 8; ++e) {                                                         \
        const uint d = 8 * (piece) + e;                                                                 \
        const float v = d < (dim) ? KV_ELEMENT(words, at, d, dim) : 0.0;                                \
        if (e < 4) a[e] = v; else b[e - 4] = v;                                                         \
      }                                                                                                 \
    }                                                                                                   \
  }
