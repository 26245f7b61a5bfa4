// Filling and centring text as Python's textwrap and str.center do.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/jinja/runtime.h"

namespace hearth::jinja {

struct WrapStyle {
  std::int64_t width = 79;
  bool break_long_words = true;
  bool break_on_hyphens = true;
};

/// The lines of one paragraph, none longer than the width where that can be had.
std::vector<std::string> wrap(Runtime& rt, std::string_view text, const WrapStyle& style);

/// str.center: when the padding is odd, the extra character goes left if the width is odd.
std::string centered(Runtime& rt, std::string_view text, std::int64_t width, std::string_view fill);

}  // namespace hearth::jinja
