// Vocabularies written by hand, small enough to know every id.
#pragma once

#include <array>
#include <cstdio>
#include <string>
#include <utility>

#include "tokenizer/vocab.h"

namespace hearth {

/// Appends a token and returns its id.
inline TokenId add_token(Vocab& vocab, std::string text, TokenType type = TokenType::normal,
                         float score = 0) {
  vocab.tokens.push_back(std::move(text));
  vocab.types.push_back(type);
  vocab.scores.push_back(score);
  return static_cast<TokenId>(vocab.tokens.size()) - 1;
}

inline TokenId add_special_token(Vocab& vocab, std::string text) {
  return add_token(vocab, std::move(text), TokenType::control);
}

/// Appends <0x00> to <0xFF> and returns the id of the first.
inline TokenId add_byte_tokens(Vocab& vocab) {
  const auto first = static_cast<TokenId>(vocab.tokens.size());
  for (int i = 0; i < 256; ++i) {
    std::array<char, 8> text{};
    std::snprintf(text.data(), text.size(), "<0x%02X>", i);
    add_token(vocab, text.data(), TokenType::byte);
  }
  return first;
}

}  // namespace hearth
