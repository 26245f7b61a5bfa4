// Sentencepiece BPE ("llama" vocabularies): starting from single characters, the neighbours that
// form the token with the highest score are joined, again and again; among equals the leftmost.
// What is left over and no token is spelt in byte tokens. (Kudo & Richardson 2018, as llama.cpp
// reads it.)
//
// The rule speaks of the whole text. But a join across two characters needs a token in which they
// stand side by side; where no token has them so, the text can be cut without changing the result.
// Most vocabularies have spaces only in front of words, and line breaks and digits by themselves,
// so the pieces are words, and each different one is joined once.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

#include "base/error.h"
#include "base/utf8.h"
#include "tokenizer/fragment_encoder.h"
#include "tokenizer/join_map.h"
#include "tokenizer/space_mark.h"
#include "tokenizer/token_index.h"
#include "tokenizer/word_cache.h"

namespace hearth {
namespace {

std::size_t character_length(std::string_view text, std::size_t at) {
  return utf8::decode_one(text.substr(at)).length;
}

// Joins the characters of one word. Its buffers serve word after word.
class Joiner {
 public:
  Joiner(const TokenIndex& index, const std::vector<float>& scores, std::size_t longest)
      : index_(index), scores_(scores), longest_(longest) {}

  /// Calls emit(piece, id) for the pieces of `word` from left to right; kNoToken where a single
  /// character is no token.
  template <typename Emit>
  void join(std::string_view word, Emit&& emit) {
    split(word);
    join_pairs();
    for (std::size_t i = 0; i < symbols_.size(); i = symbols_[i].next) {
      const std::string_view piece = word_.substr(symbols_[i].begin, symbols_[i].length);
      emit(piece, find(piece));
    }
  }

 private:
  static constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

  struct Symbol {
    std::size_t begin, length;  // bytes of the word; length 0: joined to the one on its left
    std::size_t previous, next;
  };
  struct Pair {
    float score;
    std::size_t left, right, length;
    bool operator<(const Pair& other) const {  // the greatest is joined first
      return score != other.score ? score < other.score : left > other.left;
    }
  };

  void split(std::string_view word);
  void join_pairs();
  void consider(std::size_t left, std::size_t right);
  TokenId find(std::string_view text) const;

  const TokenIndex& index_;
  const std::vector<float>& scores_;
  std::size_t longest_;  // token, in bytes
  std::string_view word_;
  std::vector<Symbol> symbols_;
  std::vector<Pair> heap_;
};

TokenId Joiner::find(std::string_view text) const {
  return text.size() > longest_ ? kNoToken : index_.find(text);
}

void Joiner::split(std::string_view word) {
  word_ = word;
  symbols_.clear();
  for (std::size_t i = 0; i < word.size();) {
    const std::size_t length = character_length(word, i);
    const std::size_t n = symbols_.size();
    symbols_.push_back({i, length, n == 0 ? kNone : n - 1, n + 1});
    i += length;
  }
  symbols_.back().next = kNone;
}

void Joiner::consider(std::size_t left, std::size_t right) {
  if (left == kNone || right == kNone) return;
  const std::size_t length = symbols_[left].length + symbols_[right].length;
  const TokenId id = find(word_.substr(symbols_[left].begin, length));
  if (id == kNoToken) return;
  heap_.push_back({scores_[static_cast<std::size_t>(id)], left, right, length});
  std::push_heap(heap_.begin(), heap_.end());
}

void Joiner::join_pairs() {
  heap_.clear();
  for (std::size_t i = 1; i < symbols_.size(); ++i) consider(i - 1, i);
  while (!heap_.empty()) {
    const Pair pair = heap_.front();
    std::pop_heap(heap_.begin(), heap_.end());
    heap_.pop_back();
    Symbol& left = symbols_[pair.left];
    Symbol& right = symbols_[pair.right];
    // One of the two may have been joined to something else meanwhile.
    if (left.length == 0 || right.length == 0 || left.length + right.length != pair.length)
      continue;
    left.length = pair.length;
    left.next = right.next;
    right.length = 0;
    if (left.next != kNone) symbols_[left.next].previous = pair.left;
    consider(left.previous, pair.left);
    consider(pair.left, left.next);
  }
}

class SentencePiece : public FragmentEncoder {
 public:
  explicit SentencePiece(const Vocab& vocab);

  void encode(std::string_view text, FragmentContext context,
              std::vector<TokenId>& out) const override;
  std::string token_bytes(TokenId id) const override {
    return unmark_spaces(vocab_.tokens[static_cast<std::size_t>(id)]);
  }

 private:
  void find_byte_tokens();
  void put_unknown(std::string_view character, std::vector<TokenId>& out) const;

  const Vocab& vocab_;
  std::vector<float> scores_;  // finite or -infinity
  TokenIndex index_;
  std::size_t longest_ = 0;
  std::array<TokenId, 256> byte_tokens_;
  JoinMap joins_;
};

SentencePiece::SentencePiece(const Vocab& vocab)
    : vocab_(vocab),
      scores_(vocab.scores),
      index_(vocab.tokens),
      joins_(JoinMap::of_characters(vocab.tokens)) {
  scores_.resize(vocab.tokens.size());
  for (float& score : scores_) {
    if (std::isnan(score)) score = -std::numeric_limits<float>::infinity();
  }
  for (const std::string& token : vocab.tokens) longest_ = std::max(longest_, token.size());
  find_byte_tokens();
}

void SentencePiece::find_byte_tokens() {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  for (std::size_t byte = 0; byte < byte_tokens_.size(); ++byte) {
    const std::string names[] = {{'<', '0', 'x', kHex[byte >> 4], kHex[byte & 15], '>'},
                                 {static_cast<char>(byte)}};
    byte_tokens_[byte] = kNoToken;
    for (const std::string& name : names) {
      if (byte_tokens_[byte] == kNoToken) byte_tokens_[byte] = index_.find(name);
    }
  }
  const bool complete =
      std::find(byte_tokens_.begin(), byte_tokens_.end(), kNoToken) == byte_tokens_.end();
  if (complete || vocab_.unk != kNoToken) return;
  throw Error({.where = "vocabulary",
               .what = "some text could not be encoded",
               .expected = "a token for each of the 256 bytes, or an unknown token",
               .got = "neither"});
}

void SentencePiece::encode(std::string_view text, FragmentContext context,
                           std::vector<TokenId>& out) const {
  WordCache cache(text.size());
  Joiner joiner(index_, scores_, longest_);
  const auto encode_word = [&](std::string_view word, std::vector<TokenId>& ids) {
    const std::string marked = mark_spaces(word);
    joiner.join(marked, [&](std::string_view piece, TokenId id) {
      if (id == kNoToken) {
        put_unknown(piece, ids);
      } else {
        ids.push_back(id);
      }
    });
  };

  std::size_t done = 0;
  std::string first;
  if (vocab_.add_space_prefix && context.after_special) {
    done = joins_.next_cut(text, 0);
    first = ' ';
    first += text.substr(0, done);
    encode_word(first, out);
  }
  while (done < text.size()) {
    const std::size_t cut = joins_.next_cut(text, done);
    cache.append(text.substr(done, cut - done), out, encode_word);
    done = cut;
  }
}

void SentencePiece::put_unknown(std::string_view character, std::vector<TokenId>& out) const {
  const auto token_of = [this](char c) { return byte_tokens_[static_cast<unsigned char>(c)]; };
  const bool spelt = std::all_of(character.begin(), character.end(),
                                 [&](char c) { return token_of(c) != kNoToken; });
  if (spelt) {
    for (const char c : character) out.push_back(token_of(c));
  } else {
    out.push_back(vocab_.unk);
  }
}

}  // namespace

std::unique_ptr<FragmentEncoder> make_sentencepiece(const Vocab& vocab) {
  return std::make_unique<SentencePiece>(vocab);
}

}  // namespace hearth
