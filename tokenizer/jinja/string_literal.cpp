#include "tokenizer/jinja/string_literal.h"

#include <fmt/format.h>

#include <charconv>

#include "base/utf8.h"

namespace hearth::jinja {
namespace {

constexpr std::string_view kShort = "\\\\''\"\"a\ab\bf\fn\nr\rt\tv\v";  // letter and character

/// Digits that follow \x, \u and \U.
std::size_t hex_digits(char letter) {
  return letter == 'x' ? 2 : (letter == 'u' ? 4 : (letter == 'U' ? 8 : 0));
}

bool is_octal(char c) {
  return c >= '0' && c <= '7';
}

bool is_surrogate(std::uint32_t code) {
  return code >= 0xD800 && code < 0xE000;
}

}  // namespace

std::optional<std::string> decode_escapes(std::string_view content, std::string& out) {
  for (std::size_t i = 0; i < content.size(); ++i) {
    if (content[i] != '\\' || i + 1 == content.size()) {
      out += content[i];
      continue;
    }
    const char letter = content[++i];
    std::size_t known = 0;
    while (known < kShort.size() && kShort[known] != letter) known += 2;
    if (letter == '\n') continue;  // the line goes on
    if (known < kShort.size()) {
      out += kShort[known + 1];
    } else if (is_octal(letter)) {
      std::size_t end = i + 1;
      while (end < content.size() && end < i + 3 && is_octal(content[end])) ++end;
      std::uint32_t code = 0;
      std::from_chars(content.data() + i, content.data() + end, code, 8);
      utf8::append(out, code);
      i = end - 1;
    } else if (const std::size_t count = hex_digits(letter); count > 0) {
      const std::string_view digits = content.substr(i + 1, count);
      std::uint32_t code = 0;
      const auto [end, error] =
          std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
      if (digits.size() != count || error != std::errc() || end != digits.data() + count) {
        return fmt::format("\\{} needs {} hexadecimal digits behind it", letter, count);
      }
      if (code > 0x10FFFF || is_surrogate(code)) {
        return fmt::format("\\{}{} is no Unicode character", letter, digits);
      }
      utf8::append(out, code);
      i += count;
    } else if (letter == 'N') {
      return "characters by name (\\N{…}) are not known here; write \\uXXXX";
    } else {
      out += '\\';
      out += letter;
    }
  }
  return std::nullopt;
}

}  // namespace hearth::jinja
