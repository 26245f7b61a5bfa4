// The words that BERT sees in a text: control characters dropped, accents and capitals taken away
// where the vocabulary wants it, punctuation and Chinese characters words of their own. After
// BasicTokenizer of https://github.com/google-research/bert, in the reading of llama.cpp, which the
// GGUF files of encoders are tried with.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hearth {

struct BertNormalizerOptions {
  bool lowercase = true;
  bool strip_accents = true;
  // Of a character's canonical decomposition only the first code point stays, so that Hangul
  // syllables shrink to their initial consonant. That is what llama.cpp does and GGUF encoders are
  // used with; the original keeps all but the accents.
  bool first_of_decomposition = false;
};

/// None of the words is empty. Malformed UTF-8 is dropped.
std::vector<std::string> bert_words(std::string_view text, BertNormalizerOptions options);

}  // namespace hearth
