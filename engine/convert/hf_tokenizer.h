// A checkpoint's tokenizer as GGUF metadata.
#pragma once

#include "engine/convert/checkpoint.h"
#include "engine/convert/hf_families.h"
#include "gguf/writer.h"

namespace hearth {

/// Sets the keys "tokenizer.…" for a model with `n_rows` rows of embeddings. Encoders: WordPiece,
/// of vocab.txt or tokenizer.json. Decoders: SentencePiece, of tokenizer.model or tokenizer.json,
/// or byte-level BPE of tokenizer.json. Throws Error when there is none of these.
void write_tokenizer(const Checkpoint& checkpoint, const HfFamily& family, std::uint64_t n_rows,
                     gguf::Writer& writer);

}  // namespace hearth
