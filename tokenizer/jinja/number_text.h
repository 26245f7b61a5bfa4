// Texts to numbers, as Python's int() and float() read them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "tokenizer/jinja/runtime.h"

namespace hearth::jinja {

/// int(text, base): white space around, a sign, single underscores, 0x 0o 0b where the base allows.
/// nullopt if it is no such text; an integer beyond 64 bits fails.
std::optional<std::int64_t> parse_integer(Runtime& rt, std::string_view text, std::int64_t base);

/// float(text).
std::optional<double> parse_float(std::string_view text);

/// int(number) for a finite number; fails beyond 64 bits.
Value truncated(Runtime& rt, double number);

/// float(value), for numbers and texts; anything else fails.
Value to_float(Runtime& rt, const Value& value);

}  // namespace hearth::jinja
