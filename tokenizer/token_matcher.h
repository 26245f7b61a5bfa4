// Finds tokens in a text: leftmost first, of those the longest. Linear in the text whatever the
// tokens are, so that thousands of them, or hostile ones, cost no more than one.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "tokenizer/aho_corasick.h"
#include "tokenizer/vocab.h"

namespace hearth {

struct TokenMatch {
  std::size_t begin, end;  // bytes of the text
  TokenId id;
};

class TokenMatcher {
 public:
  /// Empty texts are ignored, of equal ones the first counts.
  explicit TokenMatcher(const TokenPatterns& patterns = {});

  /// Non-overlapping matches from left to right.
  std::vector<TokenMatch> find(std::string_view text) const;

 private:
  // Reading the text backwards, the longest pattern that "ends" at a byte is the longest one that
  // starts there.
  AhoCorasick automaton_;
};

}  // namespace hearth
