// The printable alphabet of byte-level BPE: every byte is one character, so that vocabularies can
// be stored as text. Printable bytes of Latin-1 are themselves, the others U+0100, U+0101 … in
// order (GPT-2's bytes_to_unicode).
#pragma once

#include <string>
#include <string_view>

namespace hearth {

/// The character of a byte, in UTF-8: one or two bytes.
std::string_view byte_to_char(unsigned char byte);

/// The byte of a character; -1 if it is not of the alphabet.
int char_to_byte(char32_t character);

/// The bytes that `text` spells. Characters that are not of the alphabet stay as they are.
std::string spelt_bytes(std::string_view text);

}  // namespace hearth
