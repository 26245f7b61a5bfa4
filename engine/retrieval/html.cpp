// HTML to blocks: what a reader sees of a page, without a browser's care for broken markup.
#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include "base/utf8.h"
#include "engine/retrieval/document.h"

namespace hearth::retrieval {
namespace {

enum class Effect : std::uint8_t { none, end_block, heading, row, cell, skip };

struct TagRow {
  std::string_view name;
  Effect effect;
  int level = 0;
};
constexpr TagRow kTags[] = {
    {"h1", Effect::heading, 1},
    {"h2", Effect::heading, 2},
    {"h3", Effect::heading, 3},
    {"h4", Effect::heading, 4},
    {"h5", Effect::heading, 5},
    {"h6", Effect::heading, 6},
    {"summary", Effect::heading, 6},
    {"dt", Effect::heading, 6},
    {"p", Effect::end_block},
    {"div", Effect::end_block},
    {"li", Effect::end_block},
    {"ul", Effect::end_block},
    {"ol", Effect::end_block},
    {"dd", Effect::end_block},
    {"dl", Effect::end_block},
    {"br", Effect::end_block},
    {"hr", Effect::end_block},
    {"section", Effect::end_block},
    {"article", Effect::end_block},
    {"pre", Effect::end_block},
    {"blockquote", Effect::end_block},
    {"details", Effect::end_block},
    {"header", Effect::end_block},
    {"footer", Effect::end_block},
    {"main", Effect::end_block},
    {"table", Effect::end_block},
    {"tr", Effect::row},
    {"td", Effect::cell},
    {"th", Effect::cell},
    {"script", Effect::skip},
    {"style", Effect::skip},
    {"noscript", Effect::skip},
    {"template", Effect::skip},
    {"title", Effect::skip},
    {"nav", Effect::skip},
};

struct Entity {
  std::string_view name;
  std::string_view text;
};
constexpr Entity kEntities[] = {{"amp", "&"},    {"lt", "<"},    {"gt", ">"},    {"quot", "\""},
                                {"apos", "'"},   {"nbsp", " "},  {"ndash", "–"}, {"mdash", "—"},
                                {"hellip", "…"}, {"lsquo", "‘"}, {"rsquo", "’"}, {"ldquo", "“"},
                                {"rdquo", "”"},  {"copy", "©"},  {"times", "×"}, {"euro", "€"}};

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

/// Appends what "&name;" at the front of `text` stands for; returns its length, or 0.
std::size_t decode_entity(std::string_view text, std::string& out) {
  constexpr std::size_t kLongest = 12;
  const std::size_t end = text.substr(0, kLongest).find(';');
  if (end == std::string_view::npos) return 0;
  std::string_view name = text.substr(1, end - 1);
  if (name.starts_with('#')) {
    name.remove_prefix(1);
    const int base = name.starts_with('x') || name.starts_with('X') ? 16 : 10;
    if (base == 16) name.remove_prefix(1);
    std::uint32_t code = 0;
    const auto read = std::from_chars(name.data(), name.data() + name.size(), code, base);
    const bool is_scalar = code > 0 && code < 0x110000 && (code < 0xD800 || code > 0xDFFF);
    if (read.ec != std::errc() || read.ptr != name.data() + name.size() || !is_scalar) return 0;
    utf8::append(out, static_cast<char32_t>(code));
    return end + 1;
  }
  for (const Entity& entity : kEntities) {
    if (entity.name != name) continue;
    out += entity.text;
    return end + 1;
  }
  return 0;
}

class HtmlReader {
 public:
  explicit HtmlReader(std::string_view text) : text_(text) {}

  std::vector<Block> read() {
    while (at_ < text_.size()) {
      if (text_[at_] == '<') {
        tag();
      } else {
        character();
      }
    }
    end_block();
    return std::move(blocks_);
  }

 private:
  void advance(std::size_t n) {
    const std::string_view passed = text_.substr(at_, n);
    line_ += static_cast<int>(std::count(passed.begin(), passed.end(), '\n'));
    at_ += passed.size();
  }

  void character() {
    if (open_.text.empty()) open_.line = line_;
    const char c = text_[at_];
    if (c == '&') {
      if (const std::size_t n = decode_entity(text_.substr(at_), open_.text)) return advance(n);
    }
    if (!is_space(c)) {
      open_.text += c;
    } else if (!open_.text.empty() && !is_space(open_.text.back())) {
      open_.text += ' ';
    }
    advance(1);
  }

  void tag() {
    if (text_.substr(at_).starts_with("<!--")) {
      const std::size_t end = text_.find("-->", at_);
      return advance(end == std::string_view::npos ? text_.size() - at_ : end + 3 - at_);
    }
    const std::size_t end = last_end_ ? std::string_view::npos : text_.find('>', at_);
    last_end_ = end == std::string_view::npos;
    const bool is_tag = at_ + 1 < text_.size() && end != std::string_view::npos &&
                        (std::isalpha(static_cast<unsigned char>(text_[at_ + 1])) ||
                         text_[at_ + 1] == '/' || text_[at_ + 1] == '!' || text_[at_ + 1] == '?');
    if (!is_tag) {
      open_.text += '<';
      return advance(1);
    }
    const bool closes = text_[at_ + 1] == '/';
    std::string name;
    for (std::size_t i = at_ + (closes ? 2 : 1);
         i < end && std::isalnum(static_cast<unsigned char>(text_[i])); ++i) {
      name += static_cast<char>(std::tolower(static_cast<unsigned char>(text_[i])));
    }
    advance(end + 1 - at_);
    const auto* row = std::find_if(std::begin(kTags), std::end(kTags),
                                   [&](const TagRow& t) { return t.name == name; });
    if (row != std::end(kTags)) apply(*row, closes);
  }

  void apply(const TagRow& row, bool closes) {
    switch (row.effect) {
      case Effect::heading:
        end_block();
        open_.kind = closes ? Block::Kind::paragraph : Block::Kind::heading;
        open_.level = closes ? 0 : row.level;
        break;
      case Effect::row:
        if (closes) {
          open_.text += " |\n";
        } else {
          if (open_.kind != Block::Kind::table) end_block();
          open_.kind = Block::Kind::table;
        }
        break;
      case Effect::cell:
        if (!closes) open_.text += "| ";
        break;
      case Effect::skip:
        if (!closes) skip_to_end_of(row.name);
        break;
      case Effect::end_block:
        // Inside a table's cell a paragraph is no block.
        if (open_.kind != Block::Kind::table || row.name == "table") end_block();
        break;
      case Effect::none:
        break;
    }
  }

  void skip_to_end_of(std::string_view name) {
    const std::string end = "</" + std::string(name);
    const auto found = std::search(
        text_.begin() + static_cast<std::ptrdiff_t>(at_), text_.end(), end.begin(), end.end(),
        [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; });
    advance(static_cast<std::size_t>(found - text_.begin()) - at_);
  }

  void end_block() {
    while (!open_.text.empty() && is_space(open_.text.back())) open_.text.pop_back();
    if (!open_.text.empty()) blocks_.push_back(std::move(open_));
    open_ = {};
    open_.line = line_;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int line_ = 1;
  bool last_end_ = false;  // no tag ends any more
  Block open_;
  std::vector<Block> blocks_;
};

}  // namespace

std::vector<Block> parse_html(std::string_view text) {
  return HtmlReader(text).read();
}

}  // namespace hearth::retrieval
