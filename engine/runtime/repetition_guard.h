// Notices when a model has begun to say the same tokens over and over, as small models do.
#pragma once

#include <cstddef>
#include <vector>

#include "tokenizer/vocab.h"

namespace hearth {

/// A loop: at least kLeastRepeats times the same block of at most kLongestBlock tokens, and at
/// least kLeastTokens tokens of it. Far beyond what lists, tables or refrains do.
class RepetitionGuard {
 public:
  static constexpr std::size_t kLongestBlock = 128;
  static constexpr std::size_t kLeastRepeats = 16;
  static constexpr std::size_t kLeastTokens = 256;

  /// Adds a token; true if the text ends in a loop now.
  bool push(TokenId token) {
    bool loops = false;
    for (std::size_t block = 1; block <= kLongestBlock && block <= tokens_.size(); ++block) {
      const bool same = tokens_[tokens_.size() - block] == token;
      same_[block] = same ? same_[block] + 1 : 0;
      const std::size_t length = same_[block] + block;  // the first block has nothing before it
      loops |= same && length >= kLeastTokens && length >= kLeastRepeats * block;
    }
    tokens_.push_back(token);
    return loops;
  }

 private:
  std::vector<TokenId> tokens_;
  // [block]: how many of the last tokens equal the one `block` places earlier
  std::vector<std::size_t> same_ = std::vector<std::size_t>(kLongestBlock + 1, 0);
};

}  // namespace hearth
