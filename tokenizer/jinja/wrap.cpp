#include "tokenizer/jinja/wrap.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.h"
#include "tokenizer/jinja/text.h"

namespace hearth::jinja {
namespace {

/// The paragraph as characters, with the questions that breaking at hyphens asks.
class Characters {
 public:
  Characters(Runtime& rt, std::string_view text) {
    rt.check_room(text.size() * sizeof(Character));
    rt.work(text.size());
    text::each(text, [&](char32_t c, std::string_view bytes) { all_.push_back({c, bytes}); });
  }

  std::size_t size() const { return all_.size(); }
  std::string_view bytes(std::size_t i) const { return all_[i].bytes; }

  bool is_space(std::size_t i) const {
    if (i >= size()) return false;
    const char32_t c = all_[i].code;
    return c == ' ' || (c >= '\t' && c <= '\r');
  }
  bool is_hyphen(std::size_t i) const { return i < size() && all_[i].code == '-'; }
  bool is_word(std::size_t i) const {
    return i < size() && (all_[i].code == '_' || text::is_alnum(all_[i].code));
  }
  bool is_letter(std::size_t i) const { return is_word(i) && !text::is_decimal(all_[i].code); }

  /// Behind what an em dash may stand.
  bool ends_clause(std::size_t i) const {
    return is_word(i) || (i < size() && std::u32string_view(U"!\"'&.,?").find(all_[i].code) !=
                                            std::u32string_view::npos);
  }

  /// Whether an em dash (two hyphens or more, between words) begins at `i`; where it ends.
  std::size_t dash_end(std::size_t i) const {
    std::size_t end = i;
    while (is_hyphen(end)) ++end;
    return end - i >= 2 && is_word(end) ? end : 0;
  }

  /// Whether a line may break behind the hyphen at `i` of a word.
  bool breaks_behind(std::size_t i) const {
    if (!is_hyphen(i)) return false;
    const bool two_letters = i >= 2 && is_letter(i - 1) && is_letter(i - 2);
    const bool letter_hyphen_letter =
        i >= 3 && is_letter(i - 1) && is_hyphen(i - 2) && is_letter(i - 3);
    if (!two_letters && !letter_hyphen_letter) return false;
    return is_letter(i + 1) && (is_letter(i + 2) || (is_hyphen(i + 2) && is_letter(i + 3)));
  }

 private:
  struct Character {
    char32_t code;
    std::string_view bytes;
  };
  std::vector<Character> all_;
};

/// A stretch of characters that stays on one line.
struct Chunk {
  std::size_t begin;
  std::size_t end;
  std::size_t size() const { return end - begin; }
};

/// Where the chunk that begins at `i` (not at white space) ends.
std::size_t word_end(const Characters& text, std::size_t i, bool hyphens) {
  if (hyphens && i > 0 && text.ends_clause(i - 1)) {
    if (const std::size_t end = text.dash_end(i)) return end;
  }
  for (std::size_t end = i + 1;; ++end) {
    if (end >= text.size() || text.is_space(end)) return end;
    if (!hyphens) continue;
    if (end > i + 1 && text.breaks_behind(end - 1)) return end;
    if (text.ends_clause(end - 1) && text.dash_end(end) != 0) return end;
  }
}

std::vector<Chunk> chunks(Runtime& rt, const Characters& text, bool hyphens) {
  std::vector<Chunk> all;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i;
    while (text.is_space(end)) ++end;
    if (end == i) end = word_end(text, i, hyphens);
    rt.step();
    rt.check_room(2 * all.size() * sizeof(Chunk));
    all.push_back({i, end});
    i = end;
  }
  return all;
}

class Wrapper {
 public:
  Wrapper(Runtime& rt, std::string_view text, const WrapStyle& style)
      : rt_(rt), style_(style), text_(rt, text), rest_(chunks(rt, text_, style.break_on_hyphens)) {
    std::reverse(rest_.begin(), rest_.end());
  }

  std::vector<std::string> run() {
    const auto width = static_cast<std::size_t>(style_.width);
    while (!rest_.empty()) {
      line_.clear();
      std::size_t used = 0;
      if (is_space(rest_.back()) && !lines_.empty()) rest_.pop_back();
      while (!rest_.empty() && used + rest_.back().size() <= width) {
        used += rest_.back().size();
        line_.push_back(rest_.back());
        rest_.pop_back();
      }
      if (!rest_.empty() && rest_.back().size() > width) long_word(width, used);
      if (!line_.empty() && is_space(line_.back())) line_.pop_back();
      if (!line_.empty()) emit();
    }
    return std::move(lines_);
  }

 private:
  bool is_space(const Chunk& chunk) const { return text_.is_space(chunk.begin); }

  /// A chunk that fits no line: its beginning fills this one, or it gets one of its own.
  void long_word(std::size_t width, std::size_t used) {
    Chunk& chunk = rest_.back();
    if (style_.break_long_words) {
      std::size_t end = width > used ? width - used : 0;
      if (width < 1) end = 1;
      if (style_.break_on_hyphens && chunk.size() > end) {
        std::size_t hyphen = end;
        while (hyphen > 0 && !text_.is_hyphen(chunk.begin + hyphen - 1)) --hyphen;
        bool other = false;  // something else than hyphens before it
        for (std::size_t i = 0; hyphen > 1 && i + 1 < hyphen; ++i) {
          other |= !text_.is_hyphen(chunk.begin + i);
        }
        if (other) end = hyphen;
      }
      line_.push_back({chunk.begin, chunk.begin + end});
      chunk.begin += end;
    } else if (line_.empty()) {
      line_.push_back(chunk);
      rest_.pop_back();
    }
  }

  void emit() {
    std::string line;
    for (const Chunk& chunk : line_) {
      for (std::size_t i = chunk.begin; i < chunk.end; ++i) line += text_.bytes(i);
    }
    rt_.work(line.size());
    lines_.push_back(std::move(line));
  }

  Runtime& rt_;
  const WrapStyle& style_;
  Characters text_;
  std::vector<Chunk> rest_;  // last chunk first
  std::vector<Chunk> line_;
  std::vector<std::string> lines_;
};

}  // namespace

std::vector<std::string> wrap(Runtime& rt, std::string_view text, const WrapStyle& style) {
  if (style.width <= 0) rt.fail(fmt::format("invalid width {} (must be > 0)", style.width));
  return Wrapper(rt, text, style).run();
}

std::string centered(Runtime& rt, std::string_view text, std::int64_t width,
                     std::string_view fill) {
  const auto length = static_cast<std::int64_t>(text::length(text));
  if (width <= length) return std::string(text);
  const auto padding = static_cast<std::size_t>(width - length);
  rt.check_room(padding * fill.size());
  rt.work(padding);
  const std::size_t left = padding / 2 + (padding & static_cast<std::size_t>(width) & 1);
  std::string out;
  for (std::size_t i = 0; i < left; ++i) out += fill;
  out += text;
  for (std::size_t i = left; i < padding; ++i) out += fill;
  return out;
}

}  // namespace hearth::jinja
