// Vocabularies for models of random weights: every text can be spelt in bytes (or, WordPiece, in
// ASCII letters), and the rest of the ids are tokens that no text has.
#pragma once

#include "engine/synth/shapes.h"
#include "gguf/writer.h"

namespace hearth {

/// The smallest n_vocab that has room for the tokens that are needed.
inline constexpr int kLeastSynthVocab = 320;

/// Writes the tokenizer's keys of a vocabulary with n_vocab tokens, at least kLeastSynthVocab.
void write_synth_vocabulary(gguf::Writer& writer, const Shape& shape, int n_vocab);

}  // namespace hearth
