#include "tokenizer/jinja/format.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

#include "tokenizer/jinja/repr.h"
#include "tokenizer/jinja/runtime.h"
#include "tokenizer/jinja/text.h"

namespace hearth::jinja {
namespace {

constexpr std::int64_t kMaxPrecision = 400;  // digits of a float; more say nothing

std::string magnitude_digits(std::uint64_t magnitude, char type) {
  switch (type) {
    case 'x':
      return fmt::format("{:x}", magnitude);
    case 'X':
      return fmt::format("{:X}", magnitude);
    case 'o':
      return fmt::format("{:o}", magnitude);
    case 'b':
      return fmt::format("{:b}", magnitude);
    default:
      return std::to_string(magnitude);
  }
}

/// Separators every three digits (four where the base is not ten) of the whole part.
std::string grouped(const std::string& digits, char separator, std::size_t every) {
  std::size_t whole = digits.find_first_not_of("0123456789abcdefABCDEF");
  if (whole == std::string::npos) whole = digits.size();
  std::string out = digits;
  for (std::size_t i = whole; i > every; i -= every) out.insert(i - every, 1, separator);
  return out;
}

std::string with_sign(bool negative, char sign, std::string_view prefix,
                      const std::string& digits) {
  std::string out;
  if (negative) {
    out = "-";
  } else if (sign == '+' || sign == ' ') {
    out = std::string(1, sign);
  }
  return out + std::string(prefix) + digits;
}

std::string printed(const char* pattern, std::int64_t precision, double number) {
  char buffer[1024];
  const int length =
      std::snprintf(buffer, sizeof buffer, pattern, static_cast<int>(precision), number);
  return std::string(buffer, static_cast<std::size_t>(length));
}

std::string float_digits(double magnitude, const FormatSpec& spec) {
  const std::int64_t precision = spec.precision < 0 ? 6 : spec.precision;
  switch (spec.type) {
    case 'e':
      return printed(spec.alternate ? "%#.*e" : "%.*e", precision, magnitude);
    case 'E':
      return printed(spec.alternate ? "%#.*E" : "%.*E", precision, magnitude);
    case 'g':
      return printed(spec.alternate ? "%#.*g" : "%.*g", precision, magnitude);
    case 'G':
      return printed(spec.alternate ? "%#.*G" : "%.*G", precision, magnitude);
    case '%':
      return printed("%.*f", precision, magnitude * 100) + "%";
    case 0: {
      if (spec.precision < 0) return float_text(magnitude);
      std::string digits = printed("%.*g", std::max<std::int64_t>(spec.precision, 1), magnitude);
      if (digits.find_first_of(".en") == std::string::npos) digits += ".0";
      return digits;
    }
    default:
      return printed(spec.alternate ? "%#.*f" : "%.*f", precision, magnitude);
  }
}

}  // namespace

std::string format_integer(Runtime& rt, std::int64_t number, const FormatSpec& spec) {
  const bool negative = number < 0;
  const std::uint64_t magnitude =
      negative ? 0 - static_cast<std::uint64_t>(number) : static_cast<std::uint64_t>(number);
  std::string digits = magnitude_digits(magnitude, spec.type);
  const bool decimal = spec.type == 0 || spec.type == 'd';
  if (spec.grouping != 0) digits = grouped(digits, spec.grouping, decimal ? 3 : 4);
  const std::string prefix =
      spec.alternate && !decimal ? std::string("0") + spec.type : std::string();
  if (spec.align == '=') {
    const std::string head = with_sign(negative, spec.sign, prefix, "");
    FormatSpec rest = spec;
    rest.align = '>';
    rest.width = std::max<std::int64_t>(0, spec.width - static_cast<std::int64_t>(head.size()));
    return head + pad(rt, digits, rest, '>');
  }
  return pad(rt, with_sign(negative, spec.sign, prefix, digits), spec, '>');
}

std::string format_float(Runtime& rt, double number, const FormatSpec& spec) {
  if (spec.precision > kMaxPrecision) {
    rt.fail(fmt::format("a precision of {} digits; at most {} are allowed", spec.precision,
                        kMaxPrecision));
  }
  const bool negative = std::signbit(number) && !std::isnan(number);
  std::string digits;
  if (std::isfinite(number)) {
    digits = float_digits(std::fabs(number), spec);
  } else {
    digits = std::isnan(number) ? "nan" : "inf";
    if (spec.type == '%') digits += '%';
  }
  if (spec.grouping != 0 && std::isfinite(number)) digits = grouped(digits, spec.grouping, 3);
  if (spec.align == '=') {
    const std::string head = with_sign(negative, spec.sign, "", "");
    FormatSpec rest = spec;
    rest.align = '>';
    rest.width = std::max<std::int64_t>(0, spec.width - static_cast<std::int64_t>(head.size()));
    return head + pad(rt, digits, rest, '>');
  }
  return pad(rt, with_sign(negative, spec.sign, "", digits), spec, '>');
}

std::string pad(Runtime& rt, std::string_view text, const FormatSpec& spec, char default_align) {
  const auto length = static_cast<std::int64_t>(text::length(text));
  if (spec.width <= length) return std::string(text);
  const auto missing = static_cast<std::size_t>(spec.width - length);
  rt.check_room(missing * spec.fill.size());
  rt.work(missing);
  const char align = spec.align == 0 ? default_align : spec.align;
  const std::size_t before = align == '<' ? 0 : (align == '^' ? missing / 2 : missing);
  std::string out;
  for (std::size_t i = 0; i < before; ++i) out += spec.fill;
  out += text;
  for (std::size_t i = before; i < missing; ++i) out += spec.fill;
  return out;
}

}  // namespace hearth::jinja
