// A checkpoint's tokenizer as GGUF metadata.
#pragma once

#include "engine/convert/checkpoint.h"
#include "engine/convert/hf_families.h"
#include "gguf/writer.h"

namespace hearth {

/// Sets the keys "tokenizer.…". Encoders: WordPiece, of vocab.txt or tokenizer.json. Decoders:
/// SentencePiece of tokenizer.model, or byte-level BPE of tokenizer.json. Throws Error when there
/// is none of these. Returns the number of tokens.
std::size_t write_tokenizer(const Checkpoint& checkpoint, const HfFamily& family,
                            gguf::Writer& writer);

}  // namespace hearth
