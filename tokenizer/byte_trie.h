// A trie over bytes: the skeleton of the matchers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace hearth {

class ByteTrie {
 public:
  using State = std::uint32_t;
  static constexpr State kRoot = 0;

  /// States are 0 (the root) to size() - 1, in the order in which they were added.
  std::size_t size() const { return n_states_; }

  /// The state that `byte` leads to; kRoot if there is none.
  State child(State from, unsigned char byte) const;

  /// The same; adds it if there is none.
  State add_child(State from, unsigned char byte);

 private:
  static constexpr std::uint64_t kNoKey = ~std::uint64_t{0};
  struct Edge {
    std::uint64_t key = kNoKey;  // state * 256 + byte
    State to = kRoot;
  };

  std::size_t slot_of(std::uint64_t key) const;  // where it is, or where it belongs
  void grow();

  std::size_t n_states_ = 1;
  std::array<State, 256> from_root_{};
  std::vector<Edge> edges_;  // open addressing, a power of two of slots, at most half full
  std::size_t n_edges_ = 0;
};

}  // namespace hearth
