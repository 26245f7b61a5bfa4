// What a tokenizer is made of, as plain data. tokenizer/vocab_gguf.* fills it from a file; tests
// fill it by hand.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hearth {

using TokenId = std::int32_t;
inline constexpr TokenId kNoToken = -1;

/// Numbers as they stand in `tokenizer.ggml.token_type`.
enum class TokenType : std::uint8_t {
  undefined = 0,
  normal = 1,
  unknown = 2,  // special as control tokens are
  control = 3,  // special: matched only when special text is parsed, rendered only when asked for
  user_defined = 4,  // matched in any text, always rendered
  unused = 5,
  byte = 6,  // "<0x41>": one raw byte
};

enum class TokenizerKind : std::uint8_t {
  sentencepiece,  // tokenizer.ggml.model = "llama": joins by score
  unigram,        // "t5": the best sum of scores
  bpe,            // "gpt2" and its kin: byte-level BPE with merges
  wordpiece,      // "bert"
};

struct Vocab {
  TokenizerKind kind = TokenizerKind::bpe;
  std::string pre = "default";      // tokenizer.ggml.pre: the row of the pre-tokenizer table
  std::vector<std::string> tokens;  // as stored (byte-level BPE: in its printable alphabet)
  std::vector<float> scores;        // sentencepiece, unigram; as long as tokens, or empty (all 0)
  std::vector<TokenType> types;     // same length as tokens, or empty (all normal)
  std::vector<std::string> merges;  // BPE: "left right", best first
  std::string charsmap;             // unigram: see tokenizer/charsmap.h; or empty

  TokenId bos = kNoToken, eos = kNoToken, eot = kNoToken, eom = kNoToken, unk = kNoToken,
          sep = kNoToken, pad = kNoToken, mask = kNoToken;

  // Sorted lists of ids.
  std::vector<TokenId> end_of_generation;  // after any of these a model has said its piece
  std::vector<TokenId> strip_left;   // special tokens that swallow white space in front of them
  std::vector<TokenId> strip_right;  // … and behind them

  bool add_bos = false;  // WordPiece: [CLS]
  bool add_eos = false;
  bool add_sep = false;  // WordPiece: [SEP] at the end
  bool add_space_prefix =
      false;  // sentencepiece: " " in front of the text and after special tokens
  bool remove_extra_whitespaces = false;  // unigram: runs of spaces become one, the last vanishes
  bool lowercase = true;                  // WordPiece
  bool strip_accents = true;              // WordPiece
  int most_word_characters = 0;           // WordPiece: longer words are unknown; 0: no limit
  bool first_of_decomposition = false;    // WordPiece, see BertNormalizerOptions
  bool clean_up_spaces = false;  // the model's authors show text without the space in " ," or " 's"

  std::string chat_template;  // tokenizer.chat_template; empty if the file has none

  TokenType type(TokenId id) const {
    return types.empty() ? TokenType::normal : types[static_cast<std::size_t>(id)];
  }
};

}  // namespace hearth
