// The merges of a BPE vocabulary: which two symbols join, how early, and what they become.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tokenizer/token_index.h"
#include "tokenizer/vocab.h"

namespace hearth {

/// A piece of text that merges know: a token id, or a number above them for a text that is no token
/// but stands in a merge. (Files that were cut down by hand have such merges; they join as any
/// other, and what they leave is spelt in smaller tokens.)
using SymbolId = std::uint32_t;
inline constexpr SymbolId kNoSymbol = std::numeric_limits<SymbolId>::max();

struct Merge {
  static constexpr std::uint32_t kNever = std::numeric_limits<std::uint32_t>::max();
  std::uint32_t rank = kNever;  // lower joins earlier
  SymbolId result = kNoSymbol;
};

/// The two sides of an entry of `tokenizer.ggml.merges`. Throws Error, with the number of the
/// entry, on one that is not "left right".
struct MergeSides {
  std::string_view left, right;
};
MergeSides merge_sides(const Vocab& vocab, std::size_t number);

class MergeTable {
 public:
  /// `vocab` and `index` outlive the table. Of equal merges the first counts. Throws Error as
  /// merge_sides does.
  MergeTable(const Vocab& vocab, const TokenIndex& index);

  Merge find(SymbolId left, SymbolId right) const;

  /// kNoSymbol if the text is neither a token nor part of a merge.
  SymbolId symbol(std::string_view text) const;

  bool is_token(SymbolId symbol) const { return symbol < n_tokens_; }

 private:
  struct Slot {
    SymbolId left = kNoSymbol;
    SymbolId right = kNoSymbol;
    Merge merge;
  };

  SymbolId intern(std::string_view text, std::uint64_t hash);
  void insert(SymbolId left, SymbolId right, Merge merge);
  std::size_t first_slot(SymbolId left, SymbolId right) const;

  const TokenIndex* index_;
  SymbolId n_tokens_;
  std::vector<Slot> slots_;  // open addressing, a power of two of them, at most two thirds full
  std::size_t mask_;
  std::unordered_map<std::string, SymbolId> extras_;  // texts that are no tokens
};

}  // namespace hearth
