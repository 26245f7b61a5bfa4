// Byte-pair encoding (Sennrich et al. 2016) in the byte-level form of GPT-2: a pre-tokenizer cuts
// the text into words; inside a word, starting from single bytes, the two neighbours whose merge
// stands first in the list are joined, again and again; among equals the leftmost. Vocabularies
// that began as sentencepiece ones start from characters instead and spell what is no token in byte
// tokens.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <limits>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/utf8.h"
#include "tokenizer/byte_alphabet.h"
#include "tokenizer/fragment_encoder.h"
#include "tokenizer/join_map.h"
#include "tokenizer/merge_table.h"
#include "tokenizer/pretokenizers.h"
#include "tokenizer/space_mark.h"
#include "tokenizer/text_splitter.h"
#include "tokenizer/token_index.h"
#include "tokenizer/word_cache.h"

namespace hearth {
namespace {

class Bpe : public FragmentEncoder {
 public:
  explicit Bpe(const Vocab& vocab);

  void encode(std::string_view text, FragmentContext context,
              std::vector<TokenId>& out) const override;
  std::string token_bytes(TokenId id) const override;

 private:
  using Index = std::uint32_t;
  static constexpr Index kNone = std::numeric_limits<Index>::max();

  // A symbol of the word at hand and its merge with the next one. Joined away: rank is kNever and
  // nobody links to it.
  struct Node {
    SymbolId symbol;
    Index previous, next;
    Merge merge;
    Index begin;  // byte of the word
  };

  // What one call of encode() works with.
  struct Work {
    explicit Work(std::size_t n_text_bytes) : n_bytes(n_text_bytes), words(n_text_bytes) {}

    std::size_t n_bytes;  // of the text
    WordCache words;
    std::optional<WordCache> parts;  // of long words
    std::vector<Node> nodes;
    std::vector<std::uint64_t> queue;  // a heap of rank << 32 | node, the smallest on top
    std::string stored;                // a word as the vocabulary writes it
  };

  void find_joins();
  void encode_word(std::string_view word, Work& work, std::vector<TokenId>& out) const;
  bool take_whole(std::string_view word, Work& work, std::vector<TokenId>& out) const;
  void merge(std::string_view text, Work& work, std::vector<TokenId>& out) const;
  void lay_out(std::string_view word, Work& work) const;
  void join_all(Work& work) const;
  void consider(Index left, Work& work) const;
  void put(SymbolId symbol, std::string_view text, std::vector<TokenId>& out) const;
  void put_bytes(std::string_view bytes, std::vector<TokenId>& out) const;

  const Vocab& vocab_;
  const PreTokenizer& row_;
  TextSplitter splitter_;
  TokenIndex index_;
  MergeTable merges_;
  JoinMap joins_;                           // where words are long; a space is that or its mark
  std::array<SymbolId, 256> byte_symbols_;  // what a word's bytes start as
  std::array<TokenId, 256> byte_tokens_;    // what spells a byte that is in no token
};

Bpe::Bpe(const Vocab& vocab)
    : vocab_(vocab),
      row_(find_pre_tokenizer(vocab.pre)),
      splitter_(row_),
      index_(vocab.tokens),
      merges_(vocab, index_) {
  for (unsigned byte = 0; byte < 256; ++byte) {
    const std::string_view letter = byte_to_char(static_cast<unsigned char>(byte));
    byte_symbols_[byte] = merges_.symbol(letter);
    byte_tokens_[byte] =
        index_.find(row_.sentencepiece_like ? fmt::format("<0x{:02X}>", byte) : letter);
    if (byte_tokens_[byte] == kNoToken) byte_tokens_[byte] = vocab.unk;
  }
  if (row_.long_words) find_joins();
}

// What the bytes of a text are when a merge joins at its left and right side.
void Bpe::find_joins() {
  const auto edges = [this](std::string_view character, bool last) -> std::string {
    if (!row_.sentencepiece_like) return spelt_bytes(character);
    const char edge = last ? character.back() : character.front();
    return character == kSpaceMark ? std::string{edge, ' '} : std::string{edge};
  };
  if (row_.sentencepiece_like) joins_.keep_characters_whole();
  for (std::size_t i = 0; i < vocab_.merges.size(); ++i) {
    const auto [left, right] = merge_sides(vocab_, i);
    std::size_t last = left.size() - 1;
    while (last > 0 && (left[last] & 0xC0) == 0x80) --last;
    const std::size_t first = utf8::decode_one(right).length;
    for (const char a : edges(left.substr(last), true)) {
      for (const char b : edges(right.substr(0, first), false)) joins_.allow(a, b);
    }
  }
}

void Bpe::encode(std::string_view text, FragmentContext, std::vector<TokenId>& out) const {
  Work work(text.size());
  splitter_.split(text, [&](std::string_view word) {
    work.words.append(word, out, [&](std::string_view fresh, std::vector<TokenId>& ids) {
      encode_word(fresh, work, ids);
    });
  });
}

void Bpe::encode_word(std::string_view word, Work& work, std::vector<TokenId>& out) const {
  if (take_whole(word, work, out)) return;
  if (!row_.long_words) return merge(word, work, out);
  // Most lines fall into parts that recur: as a rule, words.
  if (!work.parts) work.parts.emplace(work.n_bytes);
  for (std::size_t done = 0; done < word.size();) {
    const std::size_t cut = joins_.next_cut(word, done);
    work.parts->append(
        word.substr(done, cut - done), out,
        [&](std::string_view part, std::vector<TokenId>& ids) { merge(part, work, ids); });
    done = cut;
  }
}

void Bpe::merge(std::string_view text, Work& work, std::vector<TokenId>& out) const {
  std::string marked;
  if (row_.sentencepiece_like) text = marked = mark_spaces(text);
  lay_out(text, work);
  join_all(work);
  for (Index i = 0; i != kNone;) {
    const Node& node = work.nodes[i];
    const std::size_t end = node.next == kNone ? text.size() : work.nodes[node.next].begin;
    put(node.symbol, text.substr(node.begin, end - node.begin), out);
    i = node.next;
  }
}

bool Bpe::take_whole(std::string_view word, Work& work, std::vector<TokenId>& out) const {
  const bool newlines = row_.whole_newlines && word.find_first_not_of('\n') == word.npos;
  if (!row_.ignore_merges && !newlines) return false;
  work.stored.clear();
  for (const char c : word) {
    if (!row_.sentencepiece_like) {
      work.stored += byte_to_char(static_cast<unsigned char>(c));
    } else if (c == ' ') {
      work.stored += kSpaceMark;
    } else {
      work.stored += c;
    }
  }
  const TokenId id = index_.find(work.stored);
  if (id != kNoToken) out.push_back(id);
  return id != kNoToken;
}

// One node per byte, or per character, each with its merge with the next; the queue of those
// merges.
void Bpe::lay_out(std::string_view word, Work& work) const {
  if (word.size() >= kNone)
    throw Error({.where = "text",
                 .what = "holds a word that is too long for the tokenizer",
                 .expected = "less than 4 GiB without a break",
                 .got = fmt::format("{} bytes", word.size())});
  work.nodes.clear();
  for (std::size_t i = 0; i < word.size();) {
    const auto n = static_cast<Index>(work.nodes.size());
    std::size_t length = 1;
    SymbolId symbol = kNoSymbol;
    if (row_.sentencepiece_like) {
      const utf8::Decoded d = utf8::decode_one(word.substr(i));
      length = d.length;
      if (d.valid) symbol = merges_.symbol(word.substr(i, length));
    } else {
      symbol = byte_symbols_[static_cast<unsigned char>(word[i])];
    }
    work.nodes.push_back({symbol, n == 0 ? kNone : n - 1, n + 1, {}, static_cast<Index>(i)});
    i += length;
  }
  work.nodes.back().next = kNone;
  work.queue.clear();
  for (Index i = 0; i + 1 < work.nodes.size(); ++i) {
    Node& node = work.nodes[i];
    node.merge = merges_.find(node.symbol, work.nodes[i + 1].symbol);
    if (node.merge.rank != Merge::kNever)
      work.queue.push_back(std::uint64_t{node.merge.rank} << 32 | i);
  }
  std::make_heap(work.queue.begin(), work.queue.end(), std::greater<>());
}

// Finds the merge of `left` with its present neighbour. An older entry of the queue for `left` is
// told from the new one by its rank.
void Bpe::consider(Index left, Work& work) const {
  Node& node = work.nodes[left];
  node.merge =
      node.next == kNone ? Merge{} : merges_.find(node.symbol, work.nodes[node.next].symbol);
  if (node.merge.rank == Merge::kNever) return;
  work.queue.push_back(std::uint64_t{node.merge.rank} << 32 | left);
  std::push_heap(work.queue.begin(), work.queue.end(), std::greater<>());
}

void Bpe::join_all(Work& work) const {
  while (!work.queue.empty()) {
    std::pop_heap(work.queue.begin(), work.queue.end(), std::greater<>());
    const std::uint64_t top = work.queue.back();
    work.queue.pop_back();
    const auto left = static_cast<Index>(top);
    Node& node = work.nodes[left];
    if (node.merge.rank != top >> 32) continue;
    Node& gone = work.nodes[node.next];
    node.symbol = node.merge.result;
    node.next = gone.next;
    gone.merge = {};
    if (node.next != kNone) work.nodes[node.next].previous = left;
    consider(left, work);
    if (node.previous != kNone) consider(node.previous, work);
  }
}

void Bpe::put(SymbolId symbol, std::string_view text, std::vector<TokenId>& out) const {
  if (merges_.is_token(symbol)) {
    out.push_back(static_cast<TokenId>(symbol));
  } else {
    put_bytes(text, out);
  }
}

void Bpe::put_bytes(std::string_view bytes, std::vector<TokenId>& out) const {
  for (const char c : bytes) {
    const TokenId id = byte_tokens_[static_cast<unsigned char>(c)];
    if (id != kNoToken) out.push_back(id);
  }
}

std::string Bpe::token_bytes(TokenId id) const {
  const std::string& text = vocab_.tokens[static_cast<std::size_t>(id)];
  return row_.sentencepiece_like ? unmark_spaces(text) : spelt_bytes(text);
}

}  // namespace

std::unique_ptr<FragmentEncoder> make_bpe(const Vocab& vocab) {
  return std::make_unique<Bpe>(vocab);
}

}  // namespace hearth
