#include "tokenizer/aho_corasick.h"

#include <algorithm>
#include <cstddef>

namespace hearth {
namespace {

// How a state was reached first.
struct Arrival {
  AhoCorasick::State state, parent;
  std::uint32_t depth;
  unsigned char byte;
};

}  // namespace

AhoCorasick::AhoCorasick(const TokenPatterns& patterns, Direction direction) : nodes_(1) {
  std::vector<Arrival> arrivals;
  for (const auto& [text, id] : patterns) {
    State state = kRoot;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const auto byte = static_cast<unsigned char>(
          text[direction == Direction::forwards ? i : text.size() - 1 - i]);
      const State next = trie_.add_child(state, byte);
      if (next == nodes_.size()) {
        nodes_.emplace_back();
        arrivals.push_back({next, state, static_cast<std::uint32_t>(i + 1), byte});
      }
      state = next;
    }
    if (state == kRoot || nodes_[state].id != kNoToken) continue;
    nodes_[state].length = static_cast<std::uint32_t>(text.size());
    nodes_[state].id = id;
    nodes_[state].match = state;
  }
  // A state's links lead to states of lesser depth, which must be ready.
  std::stable_sort(arrivals.begin(), arrivals.end(),
                   [](const Arrival& a, const Arrival& b) { return a.depth < b.depth; });
  for (const Arrival& arrival : arrivals) {
    Node& node = nodes_[arrival.state];
    if (arrival.depth > 1) node.fail = step(nodes_[arrival.parent].fail, arrival.byte);
    if (node.id == kNoToken) node.match = nodes_[node.fail].match;
  }
}

AhoCorasick::State AhoCorasick::step(State state, unsigned char byte) const {
  for (; state != kRoot; state = nodes_[state].fail) {
    if (const State next = trie_.child(state, byte); next != kRoot) return next;
  }
  return trie_.child(kRoot, byte);
}

}  // namespace hearth
