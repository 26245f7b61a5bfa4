// Text as Python's str sees it: characters are code points, classes and case are Unicode's.
// The bytes are UTF-8; a malformed byte counts as one character.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace hearth::jinja::text {

bool is_ascii(std::string_view text);

/// Characters of `text`.
std::size_t length(std::string_view text);

/// Byte offset of character `index`, text.size() if there are fewer.
std::size_t offset(std::string_view text, std::size_t index);

/// Where the character begins that ends at byte `end` > 0.
std::size_t previous(std::string_view text, std::size_t end);

/// Calls `visit` with each character's code point and bytes.
void each(std::string_view text, const std::function<void(char32_t, std::string_view)>& visit);

bool is_space(char32_t c);  // str.isspace
bool is_alpha(char32_t c);
bool is_decimal(char32_t c);
bool is_digit(char32_t c);  // decimals and superscripts
bool is_numeric(char32_t c);
bool is_lower(char32_t c);
bool is_upper(char32_t c);
bool is_title(char32_t c);
bool is_printable(char32_t c);  // repr shows it as it is
inline bool is_alnum(char32_t c) {
  return is_alpha(c) || is_decimal(c) || is_digit(c) || is_numeric(c);
}

bool starts_name(char32_t c);  // of a Python identifier
bool continues_name(char32_t c);

std::string lower(std::string_view text);
std::string casefold(std::string_view text);
std::string upper(std::string_view text);
std::string capitalize(std::string_view text);
std::string title(std::string_view text);
std::string swapcase(std::string_view text);

enum class Side { left, right, both };

/// Without white space at the ends; with `chars`, without those characters.
std::string_view strip(std::string_view text, Side side);
std::string_view strip(std::string_view text, std::string_view chars, Side side);

}  // namespace hearth::jinja::text
