#include "engine/retrieval/document.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <iterator>

#include "base/utf8.h"

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
  explicit Lines(std::string_view text, int n_before = 0) : rest_(text), number_(n_before) {}

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
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
  int number_;
};

/// "- text", "2. text", "> text".
bool is_list_item(std::string_view text) {
  text = trimmed(text);
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const std::string_view mark = text.substr(digits, 2);
  if (digits > 0) return mark == ". " || mark == ") ";
  return mark == "- " || mark == "* " || mark == "+ " || mark.starts_with('>');
}

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

  /// The lines of a paragraph were a heading all along. False if there is none, or it is too long
  /// to have been one: then the line below only divides.
  bool make_heading(int level, bool of_several_lines) {
    constexpr std::size_t kLongest = 200;
    const bool is_one = !open_.text.empty() && open_.kind == Block::Kind::paragraph &&
                        open_.text.size() <= kLongest && !is_list_item(open_.text) &&
                        (of_several_lines || open_.text.find('\n') == std::string::npos);
    if (is_one) {
      std::replace(open_.text.begin(), open_.text.end(), '\n', ' ');
      open_.kind = Block::Kind::heading;
      open_.level = level;
    }
    end();
    return is_one;
  }

  /// The last line of a paragraph was the head of a table. False if it cannot be.
  bool make_table(std::string_view line, int number) {
    if (open_.text.empty() || open_.kind != Block::Kind::paragraph) return false;
    const std::size_t last = open_.text.rfind('\n') + 1;  // npos + 1 is 0
    const std::string head = open_.text.substr(last);
    if (head.find('|') == std::string::npos) return false;
    open_.text.resize(last == 0 ? 0 : last - 1);
    end();
    add(Block::Kind::table, head, number - 1);
    add(Block::Kind::table, line, number);
    return true;
  }

  void add(std::vector<Block> blocks) {
    end();
    std::move(blocks.begin(), blocks.end(), std::back_inserter(blocks_));
  }

  bool is_in_table() const { return !open_.text.empty() && open_.kind == Block::Kind::table; }

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

/// "```" or "~~~", at least three; empty if the line begins with none.
std::string_view fence_of(std::string_view line) {
  const bool is_one = line.starts_with("```") || line.starts_with("~~~");
  return is_one ? line.substr(0, line.find_first_not_of(line[0])) : std::string_view();
}

/// A line of nothing but `mark`, at least `least` of them, with or without spaces.
bool is_rule(std::string_view line, char mark, std::size_t least) {
  const char allowed[] = {mark, ' ', '\t', '\0'};
  return static_cast<std::size_t>(std::count(line.begin(), line.end(), mark)) >= least &&
         line.find_first_not_of(allowed) == std::string_view::npos;
}

/// Of a heading, which is the line above.
bool is_underline(std::string_view line) {
  return line.find(' ') == std::string_view::npos &&
         (is_rule(line, '=', 2) || is_rule(line, '-', 2));
}

/// The line below a table's head: "--- | :---:".
bool is_delimiter_row(std::string_view line) {
  return line.find('|') != std::string_view::npos && line.find('-') != std::string_view::npos &&
         line.find_first_not_of("-:| \t") == std::string_view::npos;
}

/// A line that begins so far to the right begins nothing but code.
bool is_indented(std::string_view line) {
  constexpr std::size_t kColumns = 4;
  const std::size_t first = std::min(line.find_first_not_of(' '), line.size());
  return first >= kColumns || line.substr(first).starts_with('\t');
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
  text = utf8::without_mark(text);
  if (format == Format::markdown) return parse_markdown(text);
  return format == Format::html ? parse_html(text) : parse_plain(text);
}

namespace {

/// What stands before a document about it, between two lines of "---" (YAML) or "+++" (TOML).
struct FrontMatter {
  std::size_t bytes = 0;  // of it, its last line included; 0: there is none
  int n_lines = 0;
  std::string_view title;
  int title_line = 0;
};

/// The value of "title: …" or "title = …".
std::string_view title_of(std::string_view line) {
  constexpr std::string_view kName = "title";
  if (!line.starts_with(kName)) return {};
  line = trimmed(line.substr(kName.size()));
  if (!line.starts_with(':') && !line.starts_with('=')) return {};
  line = trimmed(line.substr(1));
  const bool is_quoted =
      line.size() > 1 && (line[0] == '"' || line[0] == '\'') && line.back() == line[0];
  return is_quoted ? line.substr(1, line.size() - 2) : line;
}

FrontMatter front_matter_of(std::string_view text) {
  Lines lines(text);
  std::string_view line;
  if (!lines.next(line)) return {};
  const std::string_view mark = trimmed(line);
  if (line != mark || (mark != "---" && mark != "+++")) return {};
  FrontMatter front;
  while (lines.next(line)) {
    const std::string_view title = title_of(line);
    if (!title.empty() && front.title.empty()) {
      front.title = title;
      front.title_line = lines.number();
    }
    if (trimmed(line) != mark && (mark != "---" || trimmed(line) != "...")) continue;
    front.bytes = text.size() - lines.rest().size();
    front.n_lines = lines.number();
    return front;
  }
  return {};  // without an end it is a rule above a document
}

/// The parts of CommonMark that tell where something begins (https://spec.commonmark.org), and
/// tables (https://github.github.com/gfm).
class MarkdownReader {
 public:
  std::vector<Block> read(std::string_view text) {
    const FrontMatter front = front_matter_of(text);
    // A heading of the document takes its place.
    if (!front.title.empty()) out_.add_heading(1, front.title, front.title_line);
    Lines lines(text.substr(front.bytes), front.n_lines);
    for (std::string_view line; lines.next(line);) {
      if (!fence_.empty()) {
        code(line, lines.number());
      } else if (!html_end_.empty()) {
        html(line);
      } else {
        plain(line, lines.number());
      }
    }
    end_html();
    return out_.finish();
  }

 private:
  void code(std::string_view line, int number) {
    const std::string_view bare = trimmed(line);
    out_.add(Block::Kind::code, line, number);
    const bool ends = bare.starts_with(fence_) && is_rule(bare, fence_[0], fence_.size());
    if (!ends) return;
    fence_.clear();
    out_.end();
  }

  /// HTML goes on to a line that holds its end; an empty line, if that is a line's end.
  void html(std::string_view line) {
    html_.append(line).append("\n");
    const bool ends = html_end_ == kEmptyLine ? trimmed(line).empty()
                                              : line.find(html_end_) != std::string_view::npos;
    if (ends) end_html();
  }

  void end_html() {
    if (html_end_.empty()) return;
    out_.add(parse_html(html_, html_line_));
    html_.clear();
    html_end_ = {};
  }

  /// Whether HTML begins with this line, and with what it ends.
  bool begin_html(std::string_view bare, int number) {
    struct Kind {
      std::string_view begin, end;
    };
    constexpr Kind kKinds[] = {
        {"<!--", "-->"}, {"<pre", "</pre>"}, {"<script", "</script>"}, {"<style", "</style>"}};
    const auto* kind = std::find_if(std::begin(kKinds), std::end(kKinds),
                                    [&](const Kind& k) { return bare.starts_with(k.begin); });
    if (kind != std::end(kKinds)) {
      html_end_ = kind->end;
    } else if (begins_html_block(bare)) {
      html_end_ = kEmptyLine;
    } else {
      return false;
    }
    html_line_ = number;
    return true;
  }

  void plain(std::string_view line, int number) {
    const std::string_view bare = trimmed(line);
    const bool may_begin = !is_indented(line);
    std::string_view title;
    fence_ = fence_of(bare);
    if (!fence_.empty()) {
      out_.add(Block::Kind::code, line, number);
    } else if (bare.empty()) {
      out_.end();
    } else if (may_begin && begin_html(bare, number)) {
      html(line);
    } else if (const int level = may_begin ? heading_level(bare, title) : 0) {
      out_.add_heading(level, without_entities(title), number);
    } else if (may_begin && is_underline(bare) &&
               out_.make_heading(bare[0] == '=' ? 1 : 2, bare[0] == '=')) {
      return;
    } else if (may_begin &&
               (is_rule(bare, '-', 3) || is_rule(bare, '*', 3) || is_rule(bare, '_', 3))) {
      out_.end();
    } else if (bare.starts_with('|') || (out_.is_in_table() && bare.find('|') != bare.npos)) {
      out_.add(Block::Kind::table, without_entities(bare), number);
    } else if (!is_delimiter_row(bare) || !out_.make_table(bare, number)) {
      out_.add(Block::Kind::paragraph, without_entities(line), number);
    }
  }

  static constexpr std::string_view kEmptyLine = "\n";

  Collector out_;
  std::string fence_;          // of the code that is open
  std::string_view html_end_;  // of the HTML that is open; empty: none is
  std::string html_;
  int html_line_ = 0;
};

}  // namespace

std::vector<Block> parse_markdown(std::string_view text) {
  return MarkdownReader().read(text);
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
