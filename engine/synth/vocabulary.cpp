#include "engine/synth/vocabulary.h"

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "gguf/keys.h"
#include "tokenizer/byte_alphabet.h"
#include "tokenizer/vocab.h"

namespace hearth {
namespace {

struct Tokens {
  std::vector<std::string> texts;
  std::vector<std::int32_t> types;

  std::uint32_t add(std::string text, TokenType type) {
    texts.push_back(std::move(text));
    types.push_back(static_cast<std::int32_t>(type));
    return static_cast<std::uint32_t>(texts.size()) - 1;
  }

  /// Tokens of no text, up to `n` in all.
  void fill(std::size_t n) {
    while (texts.size() < n) add(fmt::format("[unused{}]", texts.size()), TokenType::unused);
  }
};

void set_ids(gguf::Writer& writer, std::uint32_t bos, std::uint32_t eos) {
  writer.set("tokenizer.ggml.bos_token_id", bos);
  writer.set("tokenizer.ggml.eos_token_id", eos);
}

/// Byte-level BPE without merges.
void add_bpe(gguf::Writer& writer, Tokens& tokens, const Shape& shape) {
  writer.set(gguf::keys::kTokenizerModel, "gpt2");
  writer.set("tokenizer.ggml.pre", shape.pre);
  for (int byte = 0; byte < 256; ++byte) {
    tokens.add(std::string(byte_to_char(static_cast<unsigned char>(byte))), TokenType::normal);
  }
  const std::uint32_t end = tokens.add("<|endoftext|>", TokenType::control);
  set_ids(writer, end, end);
  writer.set_array(gguf::keys::kMerges, std::vector<std::string>());
}

/// SentencePiece that falls back to bytes for every character.
void add_sentencepiece(gguf::Writer& writer, Tokens& tokens, const Shape& shape) {
  writer.set(gguf::keys::kTokenizerModel, "llama");
  writer.set("tokenizer.ggml.pre", "default");
  tokens.add("<unk>", TokenType::unknown);
  const std::uint32_t bos = tokens.add("<s>", TokenType::control);
  const std::uint32_t eos = tokens.add("</s>", TokenType::control);
  for (int byte = 0; byte < 256; ++byte) {
    tokens.add(fmt::format("<0x{:02X}>", byte), TokenType::byte);
  }
  set_ids(writer, bos, eos);
  const auto n = static_cast<std::size_t>(shape.n_vocab);
  writer.set_array(gguf::keys::kScores, std::vector<float>(n, 0.0F));
}

/// BERT's special ids, and each printable character at the beginning and inside of words.
void add_wordpiece(gguf::Writer& writer, Tokens& tokens, const Shape& shape) {
  writer.set(gguf::keys::kTokenizerModel, "bert");
  if (shape.n_token_types > 0) {
    writer.set("tokenizer.ggml.token_type_count", static_cast<std::uint32_t>(shape.n_token_types));
  }
  const auto special = [&](std::string_view key, std::string_view text) {
    writer.set(key, tokens.add(std::string(text), TokenType::control));
  };
  special("tokenizer.ggml.padding_token_id", "[PAD]");
  tokens.fill(100);
  special("tokenizer.ggml.unknown_token_id", "[UNK]");
  special("tokenizer.ggml.cls_token_id", "[CLS]");
  special("tokenizer.ggml.seperator_token_id", "[SEP]");
  special("tokenizer.ggml.mask_token_id", "[MASK]");
  for (char c = '!'; c <= '~'; ++c) {
    tokens.add(fmt::format("▁{}", c), TokenType::normal);
    tokens.add(std::string(1, c), TokenType::normal);
  }
}

}  // namespace

void write_synth_vocabulary(gguf::Writer& writer, const Shape& shape, int n_vocab) {
  HEARTH_CHECK(n_vocab >= kLeastSynthVocab);
  using AddTokens = void (*)(gguf::Writer&, Tokens&, const Shape&);
  constexpr AddTokens kKinds[] = {add_bpe, add_sentencepiece, add_wordpiece};
  Shape sized = shape;
  sized.n_vocab = n_vocab;
  Tokens tokens;
  kKinds[static_cast<std::size_t>(shape.vocab)](writer, tokens, sized);
  tokens.fill(static_cast<std::size_t>(n_vocab));
  writer.set_array(gguf::keys::kTokens, tokens.texts);
  writer.set_array(gguf::keys::kTokenTypes, tokens.types);
}

}  // namespace hearth
