// Finds all places where any of many patterns stands in a text, in one pass (Aho & Corasick 1975).
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "tokenizer/byte_trie.h"
#include "tokenizer/vocab.h"

namespace hearth {

using TokenPatterns = std::vector<std::pair<std::string_view, TokenId>>;

class AhoCorasick {
 public:
  using State = ByteTrie::State;
  static constexpr State kRoot = ByteTrie::kRoot;
  enum class Direction { forwards, backwards };

  /// Empty texts are ignored, of equal ones the first counts. An automaton for reading backwards
  /// takes the bytes of a text from its end.
  AhoCorasick(const TokenPatterns& patterns, Direction direction);

  bool has_patterns() const { return nodes_.size() > 1; }

  /// The state after one more byte; amortised constant time over a text.
  State step(State state, unsigned char byte) const;

  // The patterns that end at the byte just read, the longest first:
  //   for (State s = longest(state); s != kRoot; s = next_longest(s)) … length(s), id(s)
  State longest(State state) const { return nodes_[state].match; }
  State next_longest(State match) const { return nodes_[nodes_[match].fail].match; }
  std::uint32_t length(State match) const { return nodes_[match].length; }
  TokenId id(State match) const { return nodes_[match].id; }

 private:
  struct Node {
    State fail = kRoot;        // the longest proper suffix that is a state too
    State match = kRoot;       // the longest suffix that is a pattern, itself included
    std::uint32_t length = 0;  // of the pattern that this is
    TokenId id = kNoToken;     // its id; kNoToken if it is none
  };

  ByteTrie trie_;
  std::vector<Node> nodes_;  // of each state
};

}  // namespace hearth
