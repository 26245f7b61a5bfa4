// Reads `tokenizer.*` of a GGUF file into a Vocab. The only place where the tokenizer knows of
// files, and where the field's habits about missing or wrong metadata are put right.
#pragma once

#include <string_view>

#include "tokenizer/vocab.h"

namespace hearth {

namespace gguf {
class Reader;
}

/// Copies everything: the Reader may go. Throws Error on keys that are missing, of the wrong type
/// or length, on ids outside the vocabulary, and on tokenizer models that are not supported.
/// `pre`, if not empty, stands in for the file's `tokenizer.ggml.pre`: old files have none.
Vocab vocab_from_gguf(const gguf::Reader& reader, std::string_view pre = {});

}  // namespace hearth
