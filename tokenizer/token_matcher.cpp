#include "tokenizer/token_matcher.h"

#include <algorithm>

namespace hearth {

TokenMatcher::TokenMatcher(const TokenPatterns& patterns)
    : automaton_(patterns, AhoCorasick::Direction::backwards) {}

std::vector<TokenMatch> TokenMatcher::find(std::string_view text) const {
  std::vector<TokenMatch> matches;
  if (!automaton_.has_patterns()) return matches;
  AhoCorasick::State state = AhoCorasick::kRoot;
  for (std::size_t i = text.size(); i-- > 0;) {
    state = automaton_.step(state, static_cast<unsigned char>(text[i]));
    const AhoCorasick::State match = automaton_.longest(state);
    if (match != AhoCorasick::kRoot)
      matches.push_back({i, i + automaton_.length(match), automaton_.id(match)});
  }
  // `matches` holds the longest one of every start, the last start first: take them from the left.
  std::reverse(matches.begin(), matches.end());
  std::size_t kept = 0;
  std::size_t covered = 0;
  for (const TokenMatch& match : matches) {
    if (match.begin < covered) continue;
    covered = match.end;
    matches[kept++] = match;
  }
  matches.resize(kept);
  return matches;
}

}  // namespace hearth
