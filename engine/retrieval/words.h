// The terms of BM25.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hearth::retrieval {

/// In the order of the text, as often as they stand there. Words are runs of letters, digits
/// and marks, as compatible and case-folded characters (Unicode's NFKC with case folding), cut
/// after each 128 bytes. Before a word stands its beginning, four letters and "~", so that "rides"
/// and "ride" have a term in common whatever the language. Scripts that do not tell words apart by
/// spaces alone (Hangul, Han, kana, Thai and its neighbours) give characters and pairs of
/// neighbouring ones: an ending changes some of them only. Malformed UTF-8 separates words.
std::vector<std::string> terms_of(std::string_view text);

/// Words, and characters of those scripts: how long a text is.
int count_words(std::string_view text);

}  // namespace hearth::retrieval
