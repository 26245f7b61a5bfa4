#include "tokenizer/byte_alphabet.h"

#include <array>
#include <cstddef>

#include "base/utf8.h"

namespace hearth {
namespace {

constexpr bool is_printable(int byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xFF && byte != 0xAD);
}

struct Alphabet {
  std::array<std::string, 256> chars;
  std::array<int, 256 + 68> bytes;  // 68 bytes are not printable

  Alphabet() {
    bytes.fill(-1);
    int n_moved = 0;
    for (int byte = 0; byte < 256; ++byte) {
      const int code_point = is_printable(byte) ? byte : 256 + n_moved++;
      utf8::append(chars[static_cast<std::size_t>(byte)], static_cast<char32_t>(code_point));
      bytes[static_cast<std::size_t>(code_point)] = byte;
    }
  }
};

const Alphabet& alphabet() {
  static const Alphabet kAlphabet;
  return kAlphabet;
}

}  // namespace

std::string_view byte_to_char(unsigned char byte) {
  return alphabet().chars[byte];
}

int char_to_byte(char32_t character) {
  const auto& bytes = alphabet().bytes;
  return character < bytes.size() ? bytes[character] : -1;
}

std::string spelt_bytes(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const utf8::Decoded d = utf8::decode_one(text);
    const int byte = d.valid ? char_to_byte(d.code_point) : -1;
    if (byte >= 0) {
      out += static_cast<char>(byte);
    } else {
      out += text.substr(0, d.length);
    }
    text.remove_prefix(d.length);
  }
  return out;
}

}  // namespace hearth
