#include "tokenizer/jinja/number_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>

#include "tokenizer/jinja/operators.h"
#include "tokenizer/jinja/repr.h"
#include "tokenizer/jinja/text.h"

namespace hearth::jinja {
namespace {

constexpr double kIntegerEnd = 9223372036854775808.0;  // 2^63

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// The text without its single underscores between digits; nullopt if one stands elsewhere.
std::optional<std::string> without_underscores(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      plain += text[i];
    } else if (i == 0 || i + 1 == text.size() || text[i - 1] == '_' ||
               std::isalnum(static_cast<unsigned char>(text[i - 1])) == 0) {
      return std::nullopt;
    }
  }
  return plain;
}

std::string ascii_lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

/// Takes off 0x, 0o or 0b where `base` is that one or 0, which it then decides.
void take_prefix(std::string_view& text, std::int64_t& base) {
  int found = 10;
  if (text.size() >= 2 && text[0] == '0') {
    const char letter = static_cast<char>(text[1] | 0x20);
    found = letter == 'x' ? 16 : (letter == 'o' ? 8 : (letter == 'b' ? 2 : 10));
  }
  if (found != 10 && (base == 0 || base == found)) {
    text.remove_prefix(2);
    if (text.starts_with('_')) text.remove_prefix(1);
    base = found;
  } else if (base == 0) {
    base = 10;
  }
}

}  // namespace

std::optional<std::int64_t> parse_integer(Runtime& rt, std::string_view text, std::int64_t base) {
  if (base != 0 && (base < 2 || base > 36)) rt.fail("int() base must be >= 2 and <= 36, or 0");
  text = text::strip(text, text::Side::both);
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  take_prefix(text, base);
  const auto plain = without_underscores(text);
  if (!plain || plain->empty() || plain->front() == '-' || plain->front() == '+') {
    return std::nullopt;
  }
  const std::string digits = negative ? "-" + *plain : *plain;
  std::int64_t value = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), value, static_cast<int>(base));
  if (error == std::errc::result_out_of_range) fail_too_large(rt);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

std::optional<double> parse_float(std::string_view text) {
  text = text::strip(text, text::Side::both);
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  const std::string lower = ascii_lower(text);
  const double sign = negative ? -1.0 : 1.0;
  if (lower == "inf" || lower == "infinity") return sign * std::numeric_limits<double>::infinity();
  if (lower == "nan") return std::numeric_limits<double>::quiet_NaN();
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool digits_around =
        i > 0 && i + 1 < text.size() && is_digit(text[i - 1]) && is_digit(text[i + 1]);
    if (text[i] == '_' && !digits_around) return std::nullopt;
  }
  std::string plain(text);
  std::erase(plain, '_');
  if (plain.empty() || !(is_digit(plain[0]) || plain[0] == '.')) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(plain.data(), plain.data() + plain.size(), value);
  if (end != plain.data() + plain.size()) return std::nullopt;
  if (error == std::errc::result_out_of_range) value = std::strtod(plain.c_str(), nullptr);
  return sign * value;
}

Value truncated(Runtime& rt, double number) {
  const double whole = std::trunc(number);
  if (!(whole >= -kIntegerEnd && whole < kIntegerEnd)) fail_too_large(rt);
  return Value::of_int(static_cast<std::int64_t>(whole));
}

Value to_float(Runtime& rt, const Value& value) {
  require_defined(rt, value);
  if (value.is_number()) return Value::of_float(value.floating());
  if (value.is_text()) {
    if (const auto number = parse_float(value.text())) return Value::of_float(*number);
    rt.fail(fmt::format("could not convert string to float: {}", quoted(value.text())));
  }
  rt.fail(fmt::format("float() argument must be a string or a real number, not '{}'",
                      type_name(value)));
}

}  // namespace hearth::jinja
