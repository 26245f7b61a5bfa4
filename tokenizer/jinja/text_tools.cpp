#include "tokenizer/jinja/text_tools.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.h"
#include "tokenizer/jinja/text.h"

namespace hearth::jinja {
namespace {

constexpr std::size_t kNone = std::string_view::npos;

/// Offset and length of the first white space at or behind `from`; {kNone, 0} if there is none.
struct Run {
  std::size_t begin;
  std::size_t length;
};

Run next_space(std::string_view text, std::size_t from) {
  while (from < text.size()) {
    const utf8::Decoded c = utf8::decode_one(text.substr(from));
    if (text::is_space(c.code_point)) return {from, c.length};
    from += c.length;
  }
  return {kNone, 0};
}

bool is_line_end(char32_t c) {
  return (c >= '\n' && c <= '\r') || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 ||
         c == 0x2029;
}

}  // namespace

void search_work(Runtime& rt, std::string_view text, std::string_view pattern) {
  constexpr std::size_t kComparedPerStep = 2048;  // bytes
  rt.work(text.size());
  rt.step(text.size() * pattern.size() / kComparedPerStep);
}

Value replaced(Runtime& rt, std::string_view text, std::string_view from, std::string_view to,
               std::int64_t most) {
  TextBuilder out(rt);
  search_work(rt, text, from);
  std::size_t at = 0;
  for (; most != 0; --most) {
    if (from.empty()) {
      out.append(to);
      if (at == text.size()) break;
      const std::size_t bytes = utf8::decode_one(text.substr(at)).length;
      out.append(text.substr(at, bytes));
      at += bytes;
      continue;
    }
    const std::size_t found = text.find(from, at);
    if (found == kNone) break;
    out.append(text.substr(at, found - at));
    out.append(to);
    at = found + from.size();
  }
  if (at == 0 && out.size() == 0) return Value::of_text(text);
  out.append(text.substr(at));
  return out.finish();
}

Value split(Runtime& rt, std::string_view text, std::string_view separator, std::int64_t most) {
  if (separator.empty()) rt.fail("empty separator");
  search_work(rt, text, separator);
  ListBuilder parts(rt);
  for (; most != 0; --most) {
    const std::size_t found = text.find(separator);
    if (found == kNone) break;
    parts.append(Value::of_text(text.substr(0, found)));
    text.remove_prefix(found + separator.size());
  }
  parts.append(Value::of_text(text));
  return parts.list();
}

Value split_space(Runtime& rt, std::string_view text, std::int64_t most) {
  rt.work(text.size());
  ListBuilder parts(rt);
  for (text = text::strip(text, text::Side::left); !text.empty(); --most) {
    // the rest, when no more splits are allowed, keeps its white space inside and at the end
    const Run space = most == 0 ? Run{kNone, 0} : next_space(text, 0);
    parts.append(Value::of_text(text.substr(0, space.begin)));
    if (space.begin == kNone) break;
    text = text::strip(text.substr(space.begin), text::Side::left);
  }
  return parts.list();
}

Value rsplit(Runtime& rt, std::string_view text, std::string_view separator, std::int64_t most) {
  if (separator.empty()) rt.fail("empty separator");
  search_work(rt, text, separator);
  ListBuilder parts(rt);
  for (; most != 0; --most) {
    const std::size_t found = text.rfind(separator);
    if (found == kNone) break;
    parts.append(Value::of_text(text.substr(found + separator.size())));
    text = text.substr(0, found);
  }
  parts.append(Value::of_text(text));
  std::reverse(parts.items().begin(), parts.items().end());
  return parts.list();
}

Value rsplit_space(Runtime& rt, std::string_view text, std::int64_t most) {
  rt.work(text.size());
  ListBuilder parts(rt);
  for (text = text::strip(text, text::Side::right); !text.empty(); --most) {
    std::size_t start = most == 0 ? 0 : text.size();
    while (start > 0) {
      const std::size_t before = text::previous(text, start);
      if (text::is_space(utf8::decode_one(text.substr(before)).code_point)) break;
      start = before;
    }
    parts.append(Value::of_text(text.substr(start)));
    text = text::strip(text.substr(0, start), text::Side::right);
  }
  std::reverse(parts.items().begin(), parts.items().end());
  return parts.list();
}

std::vector<std::string_view> lines(Runtime& rt, std::string_view text, bool keep_ends) {
  rt.work(text.size());
  std::vector<std::string_view> result;
  std::size_t start = 0;
  for (std::size_t i = 0; i < text.size();) {
    const utf8::Decoded c = utf8::decode_one(text.substr(i));
    std::size_t end = i + c.length;
    if (is_line_end(c.code_point)) {
      if (c.code_point == '\r' && end < text.size() && text[end] == '\n') ++end;
      rt.step();
      rt.check_room(2 * result.size() * sizeof(std::string_view));
      result.push_back(text.substr(start, (keep_ends ? end : i) - start));
      start = end;
    }
    i = end;
  }
  if (start < text.size()) result.push_back(text.substr(start));
  return result;
}

std::string without_tags(std::string_view text) {
  std::string plain(text);
  const auto cut = [&](std::string_view open, std::string_view close) {
    std::string kept;
    std::size_t at = 0;
    for (;;) {
      const std::size_t start = plain.find(open, at);
      const std::size_t end = start == kNone ? kNone : plain.find(close, start);
      if (end == kNone) break;
      kept.append(plain, at, start - at);
      at = end + close.size();
    }
    kept.append(plain, at);
    plain = std::move(kept);
  };
  cut("<!--", "-->");
  cut("<", ">");
  std::string out;
  bool gap = false;
  text::each(plain, [&](char32_t c, std::string_view bytes) {
    if (text::is_space(c)) {
      gap = true;
    } else {
      if (gap && !out.empty()) out += ' ';
      gap = false;
      out += bytes;
    }
  });
  return out;
}

std::string percent_encoded(std::string_view text, std::string_view safe, bool plus_for_space) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '_' || c == '.' || c == '-' || c == '~' || safe.find(c) != kNone;
    if (plain) {
      out += c;
    } else if (c == ' ' && plus_for_space) {
      out += '+';
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::int64_t count_words(std::string_view text) {
  std::int64_t words = 0;
  bool inside = false;
  text::each(text, [&](char32_t c, std::string_view) {
    const bool part = c == '_' || text::is_alnum(c);
    words += part && !inside;
    inside = part;
  });
  return words;
}

}  // namespace hearth::jinja
