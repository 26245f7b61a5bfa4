#include "engine/retrieval/document.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace hearth::retrieval {
namespace {

struct Ending {
  std::string_view text;
  Format format;
};
constexpr Ending kEndings[] = {
    {".md", Format::markdown}, {".markdown", Format::markdown}, {".mdown", Format::markdown},
    {".html", Format::html},   {".htm", Format::html},          {".xhtml", Format::html},
    {".txt", Format::text},    {".text", Format::text},         {".log", Format::text},
    {".rst", Format::text},    {".adoc", Format::text},
};

const Ending* ending_of(std::string_view name) {
  std::string lower(name);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const auto* found = std::find_if(std::begin(kEndings), std::end(kEndings),
                                   [&](const Ending& e) { return lower.ends_with(e.text); });
  return found == std::end(kEndings) ? nullptr : found;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\f\v";
  const auto first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

/// Lines with their numbers, without their ends.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}

  bool next(std::string_view& line) {
    if (rest_.empty()) return false;
    const std::size_t end = std::min(rest_.find('\n'), rest_.size());
    line = rest_.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    ++number_;
    return true;
  }

  int number() const { return number_; }

 private:
  std::string_view rest_;
  int number_ = 0;
};

/// Collects the lines of a block.
class Collector {
 public:
  void add(Block::Kind kind, std::string_view line, int number) {
    if (!open_.text.empty() && open_.kind != kind) end();
    if (open_.text.empty()) {
      open_.kind = kind;
      open_.line = number;
    } else {
      open_.text += '\n';
    }
    open_.text += line;
  }

  void add_heading(int level, std::string_view text, int number) {
    end();
    blocks_.push_back({Block::Kind::heading, level, std::string(text), number});
  }

  /// The lines of a paragraph were a heading all along.
  bool make_heading(int level) {
    const bool is_one = !open_.text.empty() && open_.kind == Block::Kind::paragraph &&
                        open_.text.find('\n') == std::string::npos;
    if (is_one) {
      open_.kind = Block::Kind::heading;
      open_.level = level;
      end();
    }
    return is_one;
  }

  void end() {
    if (!trimmed(open_.text).empty()) blocks_.push_back(std::move(open_));
    open_ = {};
  }

  std::vector<Block> finish() {
    end();
    return std::move(blocks_);
  }

 private:
  std::vector<Block> blocks_;
  Block open_;
};

bool is_fence(std::string_view line) {
  return line.starts_with("```") || line.starts_with("~~~");
}

/// A line of nothing but `mark`, at least `least` of them.
bool is_rule(std::string_view line, char mark, std::size_t least) {
  return line.size() >= least && line.find_first_not_of(mark) == std::string_view::npos;
}

/// Of a heading "## text ##"; 0 if it is none.
int heading_level(std::string_view line, std::string_view& text) {
  const std::size_t level = std::min(line.find_first_not_of('#'), line.size());
  if (level < 1 || level > 6) return 0;
  if (level < line.size() && line[level] != ' ' && line[level] != '\t') return 0;
  text = trimmed(line.substr(level));
  while (text.ends_with('#')) text.remove_suffix(1);
  text = trimmed(text);
  return static_cast<int>(level);
}

}  // namespace

Format format_of(std::string_view file_name) {
  const Ending* ending = ending_of(file_name);
  return ending ? ending->format : Format::text;
}

bool is_document(std::string_view file_name) {
  return ending_of(file_name) != nullptr;
}

std::vector<Block> parse_document(std::string_view text, Format format) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  if (format == Format::markdown) return parse_markdown(text);
  return format == Format::html ? parse_html(text) : parse_plain(text);
}

// The parts of CommonMark that tell where something begins (https://spec.commonmark.org), and
// tables.
std::vector<Block> parse_markdown(std::string_view text) {
  Collector out;
  Lines lines(text);
  std::string_view line;
  bool in_code = false;
  bool in_front_matter = text.starts_with("---\n") || text.starts_with("---\r\n");
  for (bool first = true; lines.next(line); first = false) {
    const std::string_view bare = trimmed(line);
    if (in_front_matter) {
      if (!first && bare == "---") in_front_matter = false;
      continue;
    }
    std::string_view title;
    if (in_code || is_fence(bare)) {
      const bool is_end = in_code && is_fence(bare);
      out.add(Block::Kind::code, line, lines.number());
      in_code = !is_end;
      if (is_end) out.end();
    } else if (bare.empty()) {
      out.end();
    } else if (const int level = heading_level(bare, title)) {
      out.add_heading(level, title, lines.number());
    } else if ((is_rule(bare, '=', 2) && out.make_heading(1)) ||
               (is_rule(bare, '-', 2) && out.make_heading(2))) {
      continue;
    } else if (bare.starts_with('|')) {
      out.add(Block::Kind::table, bare, lines.number());
    } else {
      out.add(Block::Kind::paragraph, line, lines.number());
    }
  }
  return out.finish();
}

std::vector<Block> parse_plain(std::string_view text) {
  Collector out;
  Lines lines(text);
  for (std::string_view line; lines.next(line);) {
    if (trimmed(line).empty()) {
      out.end();
    } else {
      out.add(Block::Kind::paragraph, line, lines.number());
    }
  }
  return out.finish();
}

}  // namespace hearth::retrieval
