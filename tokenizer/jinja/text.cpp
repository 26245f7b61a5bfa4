#include "tokenizer/jinja/text.h"

#include <utf8proc.h>

#include <algorithm>

#include "base/utf8.h"

namespace hearth::jinja::text {
namespace {

bool continues(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

utf8proc_category_t category(char32_t c) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(c));
}

constexpr char32_t kSharpS = 0xDF;
constexpr char32_t kFinalSigma = 0x3C2;
constexpr char32_t kSmallSigma = 0x3C3;
constexpr char32_t kCapitalSigma = 0x3A3;

void append_upper(std::string& out, char32_t c) {
  if (c == kSharpS) {
    out += "SS";
  } else {
    utf8::append(out, static_cast<char32_t>(utf8proc_toupper(static_cast<utf8proc_int32_t>(c))));
  }
}

void append_title(std::string& out, char32_t c) {
  if (c == kSharpS) {
    out += "Ss";
  } else {
    utf8::append(out, static_cast<char32_t>(utf8proc_totitle(static_cast<utf8proc_int32_t>(c))));
  }
}

bool is_cased(char32_t c) {
  return is_lower(c) || is_upper(c) || is_title(c);
}

/// A capital sigma at the end of a word has a small form of its own.
bool ends_word(std::string_view before, std::string_view after) {
  std::size_t start = before.size();
  while (start > 0 && continues(before[--start])) {
  }
  const bool letter_before =
      !before.empty() && is_cased(utf8::decode_one(before.substr(start)).code_point);
  return letter_before && (after.empty() || !is_cased(utf8::decode_one(after).code_point));
}

void append_lower(std::string& out, char32_t c, std::string_view before, std::string_view after) {
  if (c == kCapitalSigma) {
    utf8::append(out, ends_word(before, after) ? kFinalSigma : kSmallSigma);
  } else if (c == 0x130) {  // capital I with a dot: i and a combining dot
    out += "i\xCC\x87";
  } else {
    utf8::append(out, static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c))));
  }
}

/// Runs `map(out, c, bytes, before, after)` over the characters; malformed bytes stay as they are.
template <typename Map>
std::string mapped(std::string_view text, Map map) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const utf8::Decoded decoded = utf8::decode_one(text.substr(i));
    if (decoded.valid) {
      map(out, decoded.code_point, text.substr(0, i), text.substr(i + decoded.length));
    } else {
      out += text.substr(i, decoded.length);
    }
    i += decoded.length;
  }
  return out;
}

/// Strips characters for which `matches` holds.
template <typename Matches>
std::string_view strip_if(std::string_view text, Side side, Matches matches) {
  if (side != Side::right) {
    while (!text.empty()) {
      const utf8::Decoded first = utf8::decode_one(text);
      if (!matches(first.code_point, text.substr(0, first.length))) break;
      text.remove_prefix(first.length);
    }
  }
  if (side != Side::left) {
    while (!text.empty()) {
      const std::size_t start = previous(text, text.size());
      const utf8::Decoded last = utf8::decode_one(text.substr(start));
      if (!matches(last.code_point, text.substr(start))) break;
      text.remove_suffix(text.size() - start);
    }
  }
  return text;
}

}  // namespace

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

std::size_t length(std::string_view text) {
  if (is_ascii(text)) return text.size();
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size(); ++count) i += utf8::decode_one(text.substr(i)).length;
  return count;
}

std::size_t offset(std::string_view text, std::size_t index) {
  std::size_t i = 0;
  while (i < text.size() && index > 0) {
    i += utf8::decode_one(text.substr(i)).length;
    --index;
  }
  return i;
}

std::size_t previous(std::string_view text, std::size_t end) {
  std::size_t start = end - 1;
  while (start > 0 && end - start < 4 && continues(text[start])) --start;
  const bool whole = start + utf8::decode_one(text.substr(start, end - start)).length == end;
  return whole ? start : end - 1;
}

void each(std::string_view text, const std::function<void(char32_t, std::string_view)>& visit) {
  for (std::size_t i = 0; i < text.size();) {
    const utf8::Decoded decoded = utf8::decode_one(text.substr(i));
    visit(decoded.code_point, text.substr(i, decoded.length));
    i += decoded.length;
  }
}

bool is_space(char32_t c) {
  if (c < 0x80) return c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x1C && c <= 0x1F);
  if (c == 0x85) return true;
  const auto kind = category(c);
  return kind == UTF8PROC_CATEGORY_ZS || kind == UTF8PROC_CATEGORY_ZL ||
         kind == UTF8PROC_CATEGORY_ZP;
}

bool is_alpha(char32_t c) {
  const auto kind = category(c);
  return kind >= UTF8PROC_CATEGORY_LU && kind <= UTF8PROC_CATEGORY_LO;
}

bool is_decimal(char32_t c) {
  return category(c) == UTF8PROC_CATEGORY_ND;
}

bool is_digit(char32_t c) {
  return is_decimal(c) || c == 0xB2 || c == 0xB3 || c == 0xB9 ||
         (c >= 0x2070 && c <= 0x2089 && c != 0x2071);
}

bool is_numeric(char32_t c) {
  const auto kind = category(c);
  return kind >= UTF8PROC_CATEGORY_ND && kind <= UTF8PROC_CATEGORY_NO;
}

bool is_lower(char32_t c) {
  return category(c) == UTF8PROC_CATEGORY_LL || c == 0xAA || c == 0xBA;
}

bool is_upper(char32_t c) {
  return category(c) == UTF8PROC_CATEGORY_LU;
}

bool is_title(char32_t c) {
  return category(c) == UTF8PROC_CATEGORY_LT;
}

bool is_printable(char32_t c) {
  if (c == ' ') return true;
  const auto kind = category(c);
  return kind != UTF8PROC_CATEGORY_CN && kind < UTF8PROC_CATEGORY_ZS;
}

bool starts_name(char32_t c) {
  return c == '_' || is_alpha(c) || category(c) == UTF8PROC_CATEGORY_NL;
}

bool continues_name(char32_t c) {
  const auto kind = category(c);
  return starts_name(c) || is_decimal(c) || kind == UTF8PROC_CATEGORY_MN ||
         kind == UTF8PROC_CATEGORY_MC || kind == UTF8PROC_CATEGORY_PC;
}

std::string casefold(std::string_view text) {
  return mapped(text, [](std::string& out, char32_t c, std::string_view, std::string_view) {
    utf8proc_int32_t folded[4];  // no character folds to more than three
    int boundary = 0;
    const auto count = utf8proc_decompose_char(static_cast<utf8proc_int32_t>(c), folded, 4,
                                               UTF8PROC_CASEFOLD, &boundary);
    for (utf8proc_ssize_t i = 0; i < count; ++i) {
      utf8::append(out, static_cast<char32_t>(folded[i]));
    }
  });
}

std::string lower(std::string_view text) {
  return mapped(text, append_lower);
}

std::string upper(std::string_view text) {
  return mapped(text, [](std::string& out, char32_t c, std::string_view, std::string_view) {
    append_upper(out, c);
  });
}

std::string capitalize(std::string_view text) {
  return mapped(text,
                [](std::string& out, char32_t c, std::string_view before, std::string_view after) {
                  if (before.empty()) {
                    append_title(out, c);
                  } else {
                    append_lower(out, c, before, after);
                  }
                });
}

std::string title(std::string_view text) {
  bool in_word = false;
  return mapped(text,
                [&](std::string& out, char32_t c, std::string_view before, std::string_view after) {
                  if (in_word) {
                    append_lower(out, c, before, after);
                  } else {
                    append_title(out, c);
                  }
                  in_word = is_cased(c);
                });
}

std::string swapcase(std::string_view text) {
  return mapped(text,
                [](std::string& out, char32_t c, std::string_view before, std::string_view after) {
                  if (is_upper(c)) {
                    append_lower(out, c, before, after);
                  } else {
                    append_upper(out, c);
                  }
                });
}

std::string_view strip(std::string_view text, Side side) {
  return strip_if(text, side, [](char32_t c, std::string_view) { return is_space(c); });
}

std::string_view strip(std::string_view text, std::string_view chars, Side side) {
  return strip_if(text, side, [&](char32_t, std::string_view bytes) {
    return chars.find(bytes) != std::string_view::npos;
  });
}

}  // namespace hearth::jinja::text
