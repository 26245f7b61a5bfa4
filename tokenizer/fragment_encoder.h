// What the kinds of tokenizer differ in. The frame (tokenizer.cpp) cuts special tokens out of a
// text and adds BOS and EOS; an encoder turns the plain text between them into ids.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/vocab.h"

namespace hearth {

struct FragmentContext {
  bool after_special = true;  // the fragment begins the text, or a special token stands before it
};

/// Immutable once built: one encoder serves any number of threads.
class FragmentEncoder {
 public:
  virtual ~FragmentEncoder() = default;

  /// Appends the ids of `text`, any bytes, not empty. Time is at most n log n in its length.
  virtual void encode(std::string_view text, FragmentContext context,
                      std::vector<TokenId>& out) const = 0;

  /// The bytes that a normal, unused or undefined token stands for. (The frame knows the bytes of
  /// special, user-defined and byte tokens.)
  virtual std::string token_bytes(TokenId id) const = 0;
};

/// The byte that "<0x41>" stands for; -1 if `token` does not have that form.
int byte_token_value(std::string_view token);

// One factory per TokenizerKind. `vocab` outlives the encoder; its ids and lengths have been
// checked. Throws Error on a vocabulary that this kind cannot work with.
std::unique_ptr<FragmentEncoder> make_sentencepiece(const Vocab& vocab);
std::unique_ptr<FragmentEncoder> make_unigram(const Vocab& vocab);
std::unique_ptr<FragmentEncoder> make_bpe(const Vocab& vocab);
std::unique_ptr<FragmentEncoder> make_wordpiece(const Vocab& vocab);

}  // namespace hearth
