// UTF-8, byte by byte: validation and decoding (RFC 3629). Character classes and case are
// utf8proc's.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace hearth::utf8 {

/// Offset of the first byte that is not part of well-formed UTF-8; text.size() if all of it is.
/// Overlong forms, surrogates and code points above U+10FFFF are malformed.
std::size_t first_malformed(std::string_view text);

inline bool is_valid(std::string_view text) {
  return first_malformed(text) == text.size();
}

struct Decoded {
  char32_t code_point;  // U+FFFD if malformed
  std::size_t length;   // bytes consumed, at least 1
  bool valid;
};

/// Decodes the code point at the start of `text`, which must not be empty. A malformed sequence
/// consumes one byte.
Decoded decode_one(std::string_view text);

/// Appends `code_point`, which must be a scalar value (not a surrogate, at most U+10FFFF).
void append(std::string& out, char32_t code_point);

/// Bytes at the end of `text` that begin a character but do not finish it (0 to 3).
/// Bytes that can never become a character do not count: a stream may show them at once.
std::size_t incomplete_tail(std::string_view text);

/// `text` without the byte order mark that some editors put at the front of a file.
inline std::string_view without_mark(std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  return text.starts_with(kByteOrderMark) ? text.substr(kByteOrderMark.size()) : text;
}

/// `text` with each malformed byte replaced by U+FFFD.
std::string sanitize(std::string_view text);

}  // namespace hearth::utf8
