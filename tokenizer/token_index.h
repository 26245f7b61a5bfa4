// Token text -> id: one flat table, no allocation per token.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/vocab.h"

namespace hearth {

/// 64 well-mixed bits of a text; the same on every machine.
std::uint64_t hash_text(std::string_view text);

class TokenIndex {
 public:
  /// `tokens` outlives the index. Of equal tokens the first counts; empty ones are not found.
  explicit TokenIndex(const std::vector<std::string>& tokens);

  TokenId find(std::string_view text) const { return find(text, hash_text(text)); }

  // For lookups in bulk: prefetch() some, then find() them.
  void prefetch(std::uint64_t hash) const;
  TokenId find(std::string_view text, std::uint64_t hash) const;

 private:
  struct Slot {
    std::uint32_t hash = 0;
    TokenId id = kNoToken;
  };

  const std::vector<std::string>* tokens_;
  std::vector<Slot> slots_;  // open addressing, a power of two of them, at most half full
  std::size_t mask_;
};

}  // namespace hearth
