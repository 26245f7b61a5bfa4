#include "tokenizer/byte_trie.h"

#include <algorithm>

namespace hearth {
namespace {

std::uint64_t key_of(ByteTrie::State from, unsigned char byte) {
  return std::uint64_t{from} << 8 | byte;
}

}  // namespace

std::size_t ByteTrie::slot_of(std::uint64_t key) const {
  const std::uint64_t hash = key * 0x9E3779B97F4A7C15ull;  // 2^64 / golden ratio
  const std::size_t mask = edges_.size() - 1;
  std::size_t slot = (hash ^ hash >> 32) & mask;
  while (edges_[slot].key != kNoKey && edges_[slot].key != key) slot = (slot + 1) & mask;
  return slot;
}

void ByteTrie::grow() {
  std::vector<Edge> old(std::max<std::size_t>(64, 2 * edges_.size()));
  old.swap(edges_);
  for (const Edge& edge : old) {
    if (edge.key != kNoKey) edges_[slot_of(edge.key)] = edge;
  }
}

ByteTrie::State ByteTrie::child(State from, unsigned char byte) const {
  if (from == kRoot) return from_root_[byte];
  return edges_.empty() ? kRoot : edges_[slot_of(key_of(from, byte))].to;
}

ByteTrie::State ByteTrie::add_child(State from, unsigned char byte) {
  if (const State known = child(from, byte); known != kRoot) return known;
  const auto added = static_cast<State>(n_states_++);
  if (from == kRoot) {
    from_root_[byte] = added;
    return added;
  }
  if (2 * ++n_edges_ > edges_.size()) grow();
  const std::uint64_t key = key_of(from, byte);
  edges_[slot_of(key)] = {key, added};
  return added;
}

}  // namespace hearth
