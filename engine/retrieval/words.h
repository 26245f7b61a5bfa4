// The terms of a text that BM25 counts: words, and pairs of neighbouring characters where a script
// has no spaces between words, or endings that would hide them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hearth::retrieval {

/// In the order of the text. Words are runs of letters, digits and marks, as compatible and
/// case-folded characters (Unicode's NFKC with case folding), cut after each 128 bytes. A run of
/// Han characters, kana or Hangul gives its pairs, or its one character. Malformed bytes divide
/// words.
std::vector<std::string> terms_of(std::string_view text);

}  // namespace hearth::retrieval
