#include "kernels/strips.h"

namespace hearth::kernels {
namespace {

constexpr std::size_t kAlignment = 64;

/// Hands out one part of a strip's memory after the other.
class Parts {
 public:
  explicit Parts(void* memory) : memory_(static_cast<unsigned char*>(memory)) {}

  template <class Element>
  const Element* take(std::size_t rows, int width) {
    const std::size_t at = used_;
    const std::size_t bytes = rows * static_cast<std::size_t>(width) * sizeof(Element);
    used_ += (bytes + kAlignment - 1) / kAlignment * kAlignment;
    return memory_ ? reinterpret_cast<const Element*>(memory_ + at) : nullptr;
  }

  std::size_t used() const { return used_; }

 private:
  unsigned char* memory_;
  std::size_t used_ = 0;
};

std::size_t lay_out(Strip& strip, void* memory) {
  Parts parts(memory);
  const std::size_t n = padded_length(strip.kind, strip.length);
  const int width = strip.width;
  switch (strip.kind) {
    case StripKind::f32:
      strip.floats = parts.take<float>(n, width);
      break;
    case StripKind::bf16:
      strip.pairs = parts.take<std::uint32_t>(n / 2, width);
      break;
    case StripKind::q8_32:
      strip.quants = parts.take<std::int8_t>(n, width);
      strip.scales = parts.take<float>(n / 32, width);
      strip.bias = parts.take<std::int32_t>(n / 32, width);
      break;
    case StripKind::q8_128:
    case StripKind::q8_128_wide:
      strip.quants = parts.take<std::int8_t>(n, width);
      strip.scales = parts.take<float>(n / 128, width);
      strip.bias = parts.take<std::int32_t>(n / 16, width);
      strip.sum_pairs = parts.take<std::uint32_t>(n / 64, width);
      break;
  }
  return parts.used();
}

Strip empty_strip(StripKind kind, int n_columns, std::size_t length) {
  const int width = is_wide(kind) ? (n_columns + 15) / 16 * 16 : padded_width(n_columns);
  return {.kind = kind, .width = width, .n_columns = n_columns, .length = length};
}

}  // namespace

int padded_width(int n_columns) {
  constexpr int kWidths[] = {0, 1, 2, 4, 4, 6, 6, 8, 8, 12, 12, 12, 12};
  return kWidths[n_columns];
}

std::size_t padded_length(StripKind kind, std::size_t length) {
  return kind == StripKind::bf16 ? (length + 1) / 2 * 2 : length;
}

std::size_t strip_bytes(StripKind kind, int n_columns, std::size_t length) {
  Strip strip = empty_strip(kind, n_columns, length);
  return lay_out(strip, nullptr);
}

Strip make_strip(StripKind kind, int n_columns, std::size_t length, void* memory) {
  Strip strip = empty_strip(kind, n_columns, length);
  lay_out(strip, memory);
  return strip;
}

Strip columns_of(const Strip& wide, int first, int n) {
  Strip part = wide;
  part.n_columns = n;
  part.quants += first * kWideRun;
  part.scales += first;
  part.bias += first;
  if (part.sum_pairs) part.sum_pairs += first;
  return part;
}

}  // namespace hearth::kernels
