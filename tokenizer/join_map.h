// Where a text can be cut because nothing that a vocabulary knows reaches across. Joining works on
// neighbours: if no token (no merge) has byte b right behind byte a, then what stands on the two
// sides of such a place in a text can be worked out apart, with the same result.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace hearth {

class JoinMap {
 public:
  /// Of sentencepiece tokens: their characters may be joined as they stand side by side in them. A
  /// space in a text counts as its mark.
  static JoinMap of_characters(const std::vector<std::string>& tokens);

  /// `b` may be joined to an `a` in front of it.
  void allow(char a, char b) { joins_[index(a)].set(index(b)); }

  /// Bytes that continue a UTF-8 character are never cut off.
  void keep_characters_whole() {
    for (std::size_t byte = 0x80; byte < 0xC0; ++byte) {
      for (auto& row : joins_) row.set(byte);
    }
  }

  /// The first place behind `from` where `text` can be cut, or its end.
  std::size_t next_cut(std::string_view text, std::size_t from) const {
    std::size_t at = from + 1;
    while (at < text.size() && joins_[index(text[at - 1])][index(text[at])]) ++at;
    return at;
  }

 private:
  static std::size_t index(char c) { return static_cast<unsigned char>(c); }

  std::array<std::bitset<256>, 256> joins_;
};

}  // namespace hearth
