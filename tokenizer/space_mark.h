// U+2581, LOWER ONE EIGHTH BLOCK: how the tokens of sentencepiece and WordPiece write a space.
#pragma once

#include <string>
#include <string_view>

namespace hearth {

inline constexpr std::string_view kSpaceMark = "\xE2\x96\x81";

/// `text` with every space written as the mark.
inline std::string mark_spaces(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 2);
  for (const char c : text) {
    if (c == ' ') {
      out += kSpaceMark;
    } else {
      out += c;
    }
  }
  return out;
}

/// `token` with every mark replaced by the space that it stands for.
inline std::string unmark_spaces(std::string_view token) {
  std::string out;
  out.reserve(token.size());
  for (std::size_t i = 0; i < token.size();) {
    if (token.substr(i).starts_with(kSpaceMark)) {
      out += ' ';
      i += kSpaceMark.size();
    } else {
      out += token[i++];
    }
  }
  return out;
}

}  // namespace hearth
