// Words met before in the same text, and their ids. Prose repeats itself: of a novel's words, 19 in
// 20 are found here. Of a fixed size: a new word takes the place of an older one.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "tokenizer/vocab.h"

namespace hearth {

class WordCache {
 public:
  /// Sized for a text of `n_bytes`, at most 1 MiB.
  explicit WordCache(std::size_t n_bytes)
      : pairs_(std::bit_ceil(std::clamp<std::size_t>(n_bytes / 32, 1, kMaxPairs))) {}

  /// Appends the ids of `word`, which is not empty: those kept from an earlier time, or else those
  /// that encode(word, out) appends.
  template <typename Encode>
  void append(std::string_view word, std::vector<TokenId>& out, Encode&& encode) {
    if (word.size() > kMaxBytes) return encode(word, out);
    const Key key = key_of(word);
    Pair& pair = pairs_[place_of(key, word.size())];
    for (const Slot* slot : {&pair.newer, &pair.older}) {
      if (slot->holds(key, word.size())) {
        out.insert(out.end(), slot->ids, slot->ids + slot->n_ids);
        return;
      }
    }
    const std::size_t first = out.size();
    encode(word, out);
    const std::size_t n_ids = out.size() - first;
    if (n_ids > kMaxIds) return;
    pair.older = pair.newer;
    pair.newer.key = key;
    pair.newer.n_bytes = static_cast<std::uint8_t>(word.size());
    pair.newer.n_ids = static_cast<std::uint8_t>(n_ids);
    std::copy_n(out.data() + first, n_ids, pair.newer.ids);
  }

 private:
  // Words of more bytes, or of more ids, are not kept: then a pair of slots is one cache line.
  static constexpr std::size_t kMaxBytes = 16;
  static constexpr std::size_t kMaxIds = 3;
  static constexpr std::size_t kMaxPairs = std::size_t{1} << 14;

  // The first and the last eight bytes, of a short word fewer: with the length they are the word.
  struct Key {
    std::uint64_t head = 0, tail = 0;
  };
  struct Slot {
    Key key;
    std::uint8_t n_bytes = 0;  // 0: empty
    std::uint8_t n_ids = 0;
    TokenId ids[kMaxIds] = {};

    bool holds(const Key& k, std::size_t n) const {
      return ((key.head ^ k.head) | (key.tail ^ k.tail) | (n_bytes ^ n)) == 0;
    }
  };
  struct alignas(64) Pair {
    Slot newer, older;
  };
  static_assert(sizeof(Pair) == 64);

  static Key key_of(std::string_view word) {
    const char* bytes = word.data();
    const std::size_t n = word.size();
    const auto byte = [bytes](std::size_t i) {
      return std::uint64_t{static_cast<unsigned char>(bytes[i])};
    };
    Key key;
    if (n >= 8) {
      std::memcpy(&key.head, bytes, 8);
      std::memcpy(&key.tail, bytes + n - 8, 8);
    } else if (n >= 4) {
      std::memcpy(&key.head, bytes, 4);
      std::memcpy(&key.tail, bytes + n - 4, 4);
    } else {
      key.head = byte(0) | byte(n / 2) << 8 | byte(n - 1) << 16;
    }
    return key;
  }

  std::size_t place_of(const Key& key, std::size_t n_bytes) const {
    std::uint64_t h = (key.head ^ std::rotl(key.tail, 29) ^ n_bytes) * 0x9E3779B97F4A7C15u;
    h = (h ^ h >> 32) * 0xD6E8FEB86659FD93u;
    return (h >> 40) & (pairs_.size() - 1);
  }

  std::vector<Pair> pairs_;
};

}  // namespace hearth
