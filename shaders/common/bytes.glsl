// Floats become signed bytes, for products in integers: x is about d q in each unit of 32, with the largest |q| at 127, 126, 125 or
// 124, whichever leaves the least squared error, the larger one of equals. The bytes are the same on every device: Vulkan lets a
// division be inexact, so what x is multiplied by comes of a division of integers; what it rounds exactly is `precise`.
// Of all units there are the first halves, in the order of Codes, then the second ones, then the scales: of each unit d, d times the
// sum of its first 16 bytes, and of the others.
layout(binding = BYTES_BINDING) writeonly buffer Bytes { uvec4 bytes[]; };

shared uint quad_highest[WG];
shared uint quad_bytes[WG];
shared int quad_sum[WG];
shared vec4 quad_errors[WG];  // of each end

const vec4 kEnds = vec4(1.0, 0.992125984, 0.984251969, 0.976377953);         // 127, 126, 125 and 124, as parts of 127
const vec4 kErrorOfEnds = vec4(1.0, 1.015936004, 1.032256000, 1.048972425);  // what a squared error between integers amounts to

/// About 127 over the number with these bits, and never more. The upper 16 bits of its mantissa, rounded up, divide a
/// power of two times 127: the quotient has 16 or 17 bits.
float inverse_scale(uint bits) {
  const uint mantissa = (0x800000u | (bits & 0x7FFFFFu)) + 255u >> 8;
  const int exponent = 117 - int(bits >> 23);
  return uintBitsToFloat(uint(int(floatBitsToUint(float(0xFE000000u / mantissa))) + (exponent << 23)));
}

/// Squared distances of four numbers from integers, for each end.
vec4 errors_of(vec4 v, float inverse) {
  vec4 errors;
  [[unroll]] for (uint e = 0; e < 4; ++e) {
    precise float factor = inverse * kEnds[e];
    precise vec4 scaled = v * factor;
    precise vec4 off = scaled - roundEven(scaled);
    precise vec4 square = off * off;
    precise float sum = (square.x + square.y) + (square.z + square.w);
    errors[e] = sum;
  }
  return errors;
}

/// What leaves the least error in the unit whose first invocation this is.
float best_end(uint first) {
  precise vec4 all = quad_errors[first];
  [[unroll]] for (uint i = 1; i < 8; ++i) all += quad_errors[first + i];
  all *= kErrorOfEnds;
  uint best = 0;
  [[unroll]] for (uint e = 1; e < 4; ++e) {
    if (all[e] < all[best]) best = e;
  }
  return kEnds[best];
}

/// Every invocation of the workgroup calls it with four elements, eight that follow each other with those of unit `unit` of
/// `n_units`, whose bytes are kept if it is there.
void store_bytes(vec4 v, bool is_there, uint unit, uint n_units) {
  const uvec4 bits = floatBitsToUint(v) & 0x7FFFFFFFu;  // as integers they have the order of the numbers
  quad_highest[lane()] = max(max(bits.x, bits.y), max(bits.z, bits.w));
  barrier();
  const uint first = lane() & ~7u;
  uint highest = 0;
  [[unroll]] for (uint i = 0; i < 8; ++i) highest = max(highest, quad_highest[first + i]);
  const uint kTiny = 0x08000000u;  // 2^-111: units of less are taken for zeros
  const bool is_number = highest < 0x7F800000u;
  float inverse = is_number && highest >= kTiny ? inverse_scale(highest) : 0.0;
  quad_errors[lane()] = errors_of(v, inverse);
  barrier();
  inverse *= best_end(first);
  const ivec4 q = inverse > 0.0 ? ivec4(roundEven(v * inverse)) : ivec4(0);
  quad_bytes[lane()] = uint(q.x & 255) | uint(q.z & 255) << 8 | uint(q.y & 255) << 16 | uint(q.w & 255) << 24;
  quad_sum[lane()] = (q.x + q.y) + (q.z + q.w);
  barrier();
  if (!is_there || (lane() & 3u) != 0) return;  // one of the four that have half a unit
  const uint half_of_unit = lane() >> 2 & 1u;
  uvec4 words;
  [[unroll]] for (uint i = 0; i < 4; i += 2) {
    const uint a = quad_bytes[lane() + i];
    const uint b = quad_bytes[lane() + i + 1];
    words[i] = (a & 0xFFFFu) | b << 16;
    words[i + 1] = a >> 16 | (b & 0xFFFF0000u);
  }
  bytes[half_of_unit * n_units + unit] = words;
  if (half_of_unit != 0) return;
  float scale = inverse > 0.0 ? 1.0 / inverse : 0.0;
  if (!is_number) scale = uintBitsToFloat(0x7FC00000u);
  ivec2 sum = ivec2(0);
  [[unroll]] for (uint i = 0; i < 4; ++i) sum += ivec2(quad_sum[first + i], quad_sum[first + 4 + i]);
  bytes[2 * n_units + unit] = floatBitsToUint(vec4(scale, scale * vec2(sum), 0.0));
}
