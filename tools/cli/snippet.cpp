#include "tools/cli/snippet.h"

#include <algorithm>
#include <vector>

#include "base/utf8.h"

namespace hearth::cli {
namespace {

/// White space as single spaces, none at the ends.
std::string on_one_line(std::string_view text) {
  std::string line;
  for (const char c : text) {
    const bool is_space = c == '\n' || c == '\r' || c == '\t' || c == ' ';
    if (!is_space || (!line.empty() && line.back() != ' ')) line += is_space ? ' ' : c;
  }
  if (line.ends_with(' ')) line.pop_back();
  return line;
}

/// Where a part may begin: at a word, or at any character of a script without spaces.
std::vector<std::size_t> beginnings(std::string_view line) {
  constexpr std::size_t kLongWord = 24;
  std::vector<std::size_t> all = {0};
  std::size_t word = 0;
  for (std::size_t i = 0; i < line.size(); i += utf8::decode_one(line.substr(i)).length) {
    if (i > 0 && line[i - 1] == ' ') word = i;
    if (i > 0 && (word == i || i - word >= kLongWord)) all.push_back(i);
  }
  return all;
}

/// At most so many bytes from there on: whole words, if they are not very long.
std::string_view part_from(std::string_view line, std::size_t begin, std::size_t most) {
  std::string_view part = line.substr(begin, most);
  if (begin + part.size() == line.size()) return part;
  part.remove_suffix(utf8::incomplete_tail(part));
  if (line[begin + part.size()] == ' ') return part;
  const std::size_t space = part.rfind(' ');
  return space != std::string_view::npos && space > most * 3 / 4 ? part.substr(0, space) : part;
}

}  // namespace

std::string snippet(std::string_view text, std::size_t most,
                    const std::function<double(std::string_view)>& worth) {
  const std::string line = on_one_line(text);
  if (line.size() <= most) return line;
  std::vector<std::size_t> best;  // the first run of beginnings that are worth the same, the most
  double most_worth = 0.0;
  bool is_open = false;
  for (const std::size_t begin : beginnings(line)) {
    const double value = worth(part_from(line, begin, most));
    if (value > most_worth) best.clear();
    is_open = value > most_worth || (is_open && value == most_worth);
    if (is_open) best.push_back(begin);
    most_worth = std::max(most_worth, value);
  }
  const bool is_front = best.empty() || best.front() == 0;
  const std::size_t begin = is_front ? 0 : best[best.size() / 2];
  const std::string_view part = part_from(line, begin, most);
  const bool is_end = begin + part.size() == line.size();
  return (begin > 0 ? "…" : "") + std::string(part) + (is_end ? "" : "…");
}

}  // namespace hearth::cli
