#include "engine/retrieval/chunker.h"

#include <algorithm>
#include <array>
#include <climits>

#include "base/error.h"
#include "base/utf8.h"

namespace hearth::retrieval {
namespace {

/// What a question begins with, where it stands in a line of its own: "Q: …", "Q12. …",
/// "**질문 3:** …". Small letters of ASCII; the longer before what it begins with.
constexpr std::string_view kQuestionWords[] = {"question", "q", "질문", "문", "問", "问"};
constexpr std::string_view kQuestionEnds[] = {":", ".", ")", "："};
constexpr std::string_view kQuestionMarks[] = {"?", "？"};

std::string_view without_first(std::string_view text, std::string_view characters) {
  return text.substr(std::min(text.find_first_not_of(characters), text.size()));
}

bool begins_question(std::string_view line) {
  constexpr std::string_view kDecoration = "*_-> \t";
  line = without_first(line, kDecoration);
  std::string lower(line.substr(0, 24));
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  for (const std::string_view word : kQuestionWords) {
    if (!lower.starts_with(word)) continue;
    std::string_view rest = std::string_view(lower).substr(word.size());
    rest = without_first(without_first(without_first(rest, " "), "0123456789"), kDecoration);
    return std::any_of(std::begin(kQuestionEnds), std::end(kQuestionEnds),
                       [&](std::string_view end) { return rest.starts_with(end); });
  }
  return false;
}

bool ends_as_question(std::string_view text) {
  return std::any_of(std::begin(kQuestionMarks), std::end(kQuestionMarks),
                     [&](std::string_view mark) { return text.ends_with(mark); });
}

/// "**How do I pay?**": a line in bold that asks.
bool is_bold_question(std::string_view line) {
  constexpr std::string_view kBold[] = {"**", "__"};
  while (line.ends_with(' ')) line.remove_suffix(1);
  return std::any_of(std::begin(kBold), std::end(kBold), [&](std::string_view mark) {
    if (line.size() <= 4 || !line.starts_with(mark) || !line.ends_with(mark)) return false;
    const std::string_view inside = line.substr(2, line.size() - 4);
    return inside.find(mark) == std::string_view::npos && ends_as_question(inside);
  });
}

bool asks(std::string_view heading) {
  return ends_as_question(heading) || begins_question(heading);
}

std::string joined(std::string_view a, std::string_view b, std::string_view between) {
  if (a.empty()) return std::string(b);
  if (b.empty()) return std::string(a);
  return std::string(a).append(between).append(b);
}

/// The same in place: what grows line by line is not copied for each.
void append(std::string& text, std::string_view more, std::string_view between) {
  if (!text.empty() && !more.empty()) text += between;
  text += more;
}

/// A piece of a section that stays whole if it can. If it cannot, each of its parts begins with
/// `head`, which the text begins with: a table's, or the question of an answer.
struct Unit {
  std::string text;
  int line = 1;
  std::string head = {};
};

int count_lines(std::string_view text) {
  return static_cast<int>(std::count(text.begin(), text.end(), '\n'));
}

/// The first row of a table, and the line below it.
std::string table_head(std::string_view table) {
  const std::size_t first = table.find('\n');
  if (first == std::string_view::npos) return {};
  const std::string_view below = table.substr(first + 1, table.find('\n', first + 1) - first - 1);
  const bool has_line = below.find_first_not_of("-:| \t") == std::string_view::npos;
  return std::string(table.substr(0, has_line ? first + 1 + below.size() : first));
}

/// What stands under a heading, up to the next one or to the end of one inside it. More may follow
/// after that end: it is another section, under the same heading.
struct Section {
  std::vector<std::string> path;    // headings, the outermost first
  std::vector<std::size_t> owners;  // of each, the section that it began
  int line = 1;
  std::vector<Block> blocks;

  std::string heading() const {
    std::string all;
    for (const std::string& part : path) append(all, part, " > ");
    return all;
  }
};

std::vector<Section> sections_of(const std::vector<Block>& blocks) {
  std::vector<Section> sections(1);
  std::vector<std::pair<int, std::size_t>> open;  // level, section that it began
  for (const Block& block : blocks) {
    if (block.kind != Block::Kind::heading) {
      sections.back().blocks.push_back(block);
      continue;
    }
    while (!open.empty() && open.back().first >= block.level) open.pop_back();
    Section next{.path = {}, .owners = {}, .line = block.line, .blocks = {}};
    for (const auto& [level, owner] : open) {
      next.path.push_back(sections[owner].path.back());
      next.owners.push_back(owner);
    }
    if (!block.text.empty()) {
      next.path.push_back(block.text);
      next.owners.push_back(sections.size());
      open.emplace_back(block.level, sections.size());
    }
    sections.push_back(std::move(next));
  }
  return sections;
}

class Chunker {
 public:
  explicit Chunker(const ChunkOptions& options) : options_(options) {}

  std::vector<Chunk> run(const std::vector<Block>& blocks) {
    const std::vector<Section> sections = sections_of(blocks);
    tables_.resize(sections.size());
    for (const Section& s : sections) {
      if (s.owners.empty()) continue;
      for (const Block& block : s.blocks) {
        if (block.kind == Block::Kind::table) append(tables_[s.owners.back()], block.text, "\n\n");
      }
    }
    for (const Section& s : sections) section(s);
    return std::move(chunks_);
  }

 private:
  /// Tokens, but at least one for so many bytes: a measure may take a word without end for one, and
  /// what is too large by its bytes alone need not be counted.
  int count(std::string_view text) const {
    constexpr std::size_t kBytesOfAToken = 32;
    const auto by_bytes =
        static_cast<int>(std::min<std::size_t>(text.size() / kBytesOfAToken, INT_MAX));
    if (by_bytes > options_.max_tokens) return by_bytes;
    return std::max(by_bytes, options_.count_tokens(text));
  }
  bool fits(const std::string& text) const {
    return count(joined(heading_, text, "\n\n")) <= options_.max_tokens;
  }

  void emit(const std::string& text, int line) {
    chunks_.push_back(
        {.text = joined(heading_, text, "\n\n"), .heading = full_heading_, .line = line});
  }

  void section(const Section& s) {
    if (s.blocks.empty()) return;
    full_heading_ = heading_ = s.heading();
    // A heading that leaves no room for the text under it is left out of the chunk.
    if (count(heading_) > options_.max_tokens / 2) heading_.clear();
    const bool is_question = !s.path.empty() && asks(s.path.back());
    std::vector<Unit> pairs, others;
    std::string tables;
    sort_blocks(s, pairs, others, tables);
    if (is_question && pairs.empty()) {
      std::string all;
      for (const Unit& unit : others) append(all, unit.text, "\n\n");
      const std::string table = tables_above(s);
      if (fits(all)) return emit(with_table(all, table), s.line);
    }
    pack(others);
    for (const Unit& pair : pairs) {
      if (fits(pair.text)) {
        emit(with_table(pair.text, tables), pair.line);
      } else {
        pack({pair});
      }
    }
  }

  /// The blocks of a section as pairs of question and answer, and the rest. Its tables, by
  /// themselves, where it has pairs.
  static void sort_blocks(const Section& s, std::vector<Unit>& pairs, std::vector<Unit>& others,
                          std::string& tables) {
    for (const Block& block : s.blocks) {
      if (block.kind == Block::Kind::table) append(tables, block.text, "\n\n");
      if (block.kind == Block::Kind::paragraph) {
        sort_lines(block, pairs, others);
      } else if (!pairs.empty() && block.kind == Block::Kind::code) {
        append(pairs.back().text, block.text, "\n\n");
      } else {
        const bool is_table = block.kind == Block::Kind::table;
        others.push_back({block.text, block.line, is_table ? table_head(block.text) : ""});
      }
    }
  }

  /// A paragraph may hold several questions, and an answer several paragraphs.
  static void sort_lines(const Block& block, std::vector<Unit>& pairs, std::vector<Unit>& others) {
    int number = block.line;
    bool is_first = true;
    for (std::size_t begin = 0; begin <= block.text.size(); ++number, is_first = false) {
      const std::size_t end = std::min(block.text.find('\n', begin), block.text.size());
      const std::string_view line = std::string_view(block.text).substr(begin, end - begin);
      begin = end + 1;
      if (begins_question(line) || (is_first && is_bold_question(line))) {
        pairs.push_back({std::string(line), number, std::string(line)});
        continue;
      }
      std::vector<Unit>& to = pairs.empty() ? others : pairs;
      if (to.empty() || (is_first && pairs.empty())) {
        to.push_back({std::string(line), number});
      } else {
        append(to.back().text, line, is_first ? "\n\n" : "\n");
      }
    }
  }

  std::string with_table(const std::string& text, const std::string& table) const {
    if (count(table) > options_.max_tokens) return text;
    const std::string both = joined(text, table, "\n\n");
    return fits(both) ? both : text;
  }

  /// The tables under the headings that a question's heading stands under, the nearest first.
  std::string tables_above(const Section& s) const {
    std::string tables;
    for (std::size_t i = s.owners.size() - 1; i-- > 0;) {
      append(tables, tables_[s.owners[i]], "\n\n");
    }
    return tables;
  }

  /// Chunks of as many units as fit, each beginning with the end of the one before.
  void pack(const std::vector<Unit>& units) {
    std::string open;
    int line = 0;
    const auto flush = [&] {
      if (!open.empty()) emit(open, line);
      open.clear();
    };
    for (const Unit& unit : units) {
      std::string_view between = "\n\n";  // of a unit's parts nothing: they were one text
      std::string head;                   // of the parts after the first
      int part_line = unit.line;
      for (const std::string& part : parts_of(unit)) {
        if (!open.empty() && fits(joined(open, part, between))) {
          open = joined(open, part, between);
        } else {
          const std::string repeated = head + joined(end_of(open), part, between);
          flush();
          open = fits(repeated) ? repeated : fits(head + part) ? head + part : part;
          line = part_line;
        }
        between = "";
        head = unit.head.empty() ? "" : unit.head + "\n";
        part_line += count_lines(part);
      }
    }
    flush();
  }

  /// The last sentences of a text, as many as the overlap has room for.
  std::string end_of(const std::string& text) const {
    std::string end;
    std::vector<std::string_view> all;
    Pieces pieces(text, kSentenceEnds);
    for (std::string_view piece; pieces.next(piece);) all.push_back(piece);
    for (std::size_t i = all.size(); i-- > 1;) {
      std::string longer = std::string(all[i]) + end;
      if (count(longer) > options_.overlap_tokens) break;
      end = std::move(longer);
    }
    return end;
  }

  /// A text as pieces that fit: itself, or lines, sentences, words, characters, joined again as far
  /// as they go.
  std::vector<std::string> parts_of(const Unit& unit) const {
    if (fits(unit.text)) return {unit.text};
    std::vector<std::string> parts;
    cut(unit.text, 0, room_beside(unit.head), parts);
    return parts;
  }

  /// Tokens of a chunk for the parts of a text. A head that takes more than half of them is none.
  int room_beside(const std::string& head) const {
    const int room = std::max(1, options_.max_tokens - count(heading_) - 4);
    const int rest = head.empty() ? room : room - count(head) - 1;
    return rest < room / 2 ? room : rest;
  }

  using Ends = std::string_view;
  static constexpr Ends kSentenceEnds = ".?!\n";
  static constexpr std::array<Ends, 3> kCuts = {"\n", ".?!\n", " \t\n"};

  /// A text cut behind each end that white space follows, or that is white space.
  class Pieces {
   public:
    Pieces(std::string_view text, Ends ends) : rest_(text), ends_(ends) {}

    bool next(std::string_view& piece) {
      if (rest_.empty()) return false;
      std::size_t n = 0;
      while (n < rest_.size() && !ends_at(n)) ++n;
      piece = rest_.substr(0, n + 1);
      rest_.remove_prefix(piece.size());
      return true;
    }

   private:
    bool ends_at(std::size_t i) const {
      if (ends_.find(rest_[i]) == Ends::npos) return false;
      return rest_[i] == '\n' || rest_[i] == ' ' || rest_[i] == '\t' || i + 1 == rest_.size() ||
             rest_[i + 1] == ' ' || rest_[i + 1] == '\n';
    }

    std::string_view rest_;
    Ends ends_;
  };

  /// Puts pieces together again, as many as fit.
  class Filler {
   public:
    Filler(const Chunker& chunker, int room, std::vector<std::string>& parts)
        : chunker_(chunker), parts_(parts), room_(room) {}

    /// False if a piece is too large by itself, and nothing has been done.
    bool add(std::string_view piece) {
      const int n = chunker_.count(piece);
      if (n_open_ + n > room_) end();
      if (n > room_) return false;
      open_ += piece;
      n_open_ += n;
      return true;
    }

    /// The first characters of a text, as many as fit by themselves; one at least.
    std::string_view beginning(std::string_view text) const {
      std::size_t fits = utf8::decode_one(text).length, too_many = text.size() + 1;
      for (std::size_t n = fits; fits + 1 < too_many;) {
        n = std::min(2 * n, fits + (too_many - fits) / 2);
        std::size_t whole = n - utf8::incomplete_tail(text.substr(0, n));
        if (whole <= fits) whole = fits + utf8::decode_one(text.substr(fits)).length;
        if (whole >= too_many) break;
        (chunker_.count(text.substr(0, whole)) <= room_ ? fits : too_many) = whole;
        n = fits;
      }
      return text.substr(0, fits);
    }

    void end() {
      if (!open_.empty()) parts_.push_back(std::move(open_));
      open_.clear();
      n_open_ = 0;
    }

   private:
    const Chunker& chunker_;
    std::vector<std::string>& parts_;
    std::string open_;
    int n_open_ = 0;  // tokens, at most: those of the pieces by themselves
    int room_;
  };

  void cut(std::string_view text, std::size_t way, int room,
           std::vector<std::string>& parts) const {
    Filler filler(*this, room, parts);
    if (way < kCuts.size()) {
      Pieces pieces(text, kCuts[way]);
      for (std::string_view piece; pieces.next(piece);) {
        if (!filler.add(piece)) cut(piece, way + 1, room, parts);
      }
      return filler.end();
    }
    while (!text.empty()) {  // a word without end
      const std::string_view some = filler.beginning(text);
      if (!filler.add(some)) parts.emplace_back(some);
      text.remove_prefix(some.size());
    }
    filler.end();
  }

  const ChunkOptions& options_;
  std::vector<Chunk> chunks_;
  std::vector<std::string> tables_;  // of a heading, by the section that it began
  std::string heading_;              // as it stands in chunks
  std::string full_heading_;
};

}  // namespace

std::vector<Chunk> chunk(const std::vector<Block>& blocks, const ChunkOptions& options) {
  HEARTH_CHECK(options.count_tokens && options.max_tokens >= 8);
  return Chunker(options).run(blocks);
}

}  // namespace hearth::retrieval
