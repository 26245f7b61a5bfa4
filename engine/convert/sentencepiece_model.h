// SentencePiece's model file: a protocol buffer, of which the pieces and two settings are read.
// https://github.com/google/sentencepiece/blob/master/src/sentencepiece_model.proto
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hearth {

struct SentencePiece {
  std::string text;
  float score = 0.0F;
  std::int32_t type = 1;  // the numbers are those of tokenizer.ggml.token_type
};

struct SentencePieceModel {
  std::vector<SentencePiece> pieces;
  bool add_dummy_prefix = true;
};

/// Throws Error, naming `name`, when the bytes are not such a file.
SentencePieceModel parse_sentencepiece(std::string_view bytes, const std::string& name);

}  // namespace hearth
