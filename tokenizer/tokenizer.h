// Text to token ids and back. One class for callers; one FragmentEncoder per TokenizerKind behind
// it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/fragment_encoder.h"
#include "tokenizer/token_matcher.h"
#include "tokenizer/vocab.h"

namespace hearth {

struct EncodeOptions {
  bool add_special = true;     // BOS/EOS/CLS/SEP as the vocabulary says
  bool parse_special = false;  // the text of control tokens ("<|im_end|>") becomes that token
  bool repeat_bos = false;     // add BOS even where the parsed text begins with it already
  bool drop_marks = false;     // leave the marks of as_literal() out
};

struct DecodeOptions {
  bool render_special = false;   // control tokens appear as their text instead of vanishing
  bool continues_text = false;   // the ids follow other text: keep a leading space
  bool clean_up_spaces = false;  // " ," becomes "," and so on, where the vocabulary wants it; then
                                 // decode is no longer the inverse of encode
};

class Tokenizer {
 public:
  /// Checks the vocabulary and builds the tables. Throws Error on one that cannot work (unknown
  /// `pre`, bad merges …).
  static std::unique_ptr<Tokenizer> create(Vocab vocab);

  const Vocab& vocab() const { return vocab_; }
  TokenId n_tokens() const { return static_cast<TokenId>(vocab_.tokens.size()); }

  /// Any bytes are accepted; what is not UTF-8 is encoded byte by byte where the vocabulary can.
  std::vector<TokenId> encode(std::string_view text, EncodeOptions options = {}) const;

  /// `text` with the control tokens that it spells out marked as mere text, for encode() with both
  /// parse_special and drop_marks. So what a person writes ("what is <|im_end|>?") cannot end their
  /// turn, and still passes through a chat template. Text without control tokens is unchanged.
  std::string as_literal(std::string_view text) const;

  /// The exact bytes of the ids, with the leading space that encode adds taken away again.
  /// Throws Error if an id is out of range.
  std::string decode(std::span<const TokenId> ids, DecodeOptions options = {}) const;

  /// The bytes that one token adds in the middle of a text; a view into the tokenizer. May be part
  /// of a UTF-8 character. Throws Error if out of range.
  std::string_view piece(TokenId id, DecodeOptions options = {}) const;

  /// Control and unknown tokens: they appear in decoded text only when asked for.
  bool is_special(TokenId id) const;
  bool is_end_of_generation(TokenId id) const;

  /// Whether decoded text loses a space at its very start because encode has put one there.
  bool strips_leading_space() const;

 private:
  explicit Tokenizer(Vocab vocab);
  void check_vocab() const;
  void build_pieces();

  Vocab vocab_;
  std::unique_ptr<FragmentEncoder> encoder_;
  TokenMatcher user_defined_;              // matched in any text
  TokenMatcher all_special_;               // matched when special text is parsed
  std::string piece_bytes_;                // every token's bytes, one after the other
  std::vector<std::uint64_t> piece_ends_;  // [n_tokens + 1]: token i is bytes [i], [i + 1]
};

/// Decodes token by token, holding back bytes until they form whole UTF-8 characters.
class StreamDecoder {
 public:
  explicit StreamDecoder(const Tokenizer& tokenizer, DecodeOptions options = {});

  /// The text that `id` completes; may be empty.
  std::string push(TokenId id);

  /// What is still held, malformed bytes included as they are; call at the end of the stream.
  std::string finish();

 private:
  const Tokenizer* tokenizer_;
  DecodeOptions options_;
  std::string held_;
  bool at_start_;
};

}  // namespace hearth
