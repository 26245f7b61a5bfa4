#include "tokenizer/merge_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>

#include "base/error.h"

namespace hearth {
namespace {

// Lookups in this many merges at once wait for memory together.
constexpr std::size_t kBatch = 16;

}  // namespace

// The space between the two is the first one that is not the first byte.
MergeSides merge_sides(const Vocab& vocab, std::size_t number) {
  const std::string_view merge = vocab.merges[number];
  const std::size_t space = merge.find(' ', 1);
  if (space == std::string_view::npos || space + 1 == merge.size()) {
    throw Error({.where = "tokenizer.ggml.merges",
                 .what = fmt::format("merge {} does not name two symbols", number),
                 .expected = "\"left right\"",
                 .got = fmt::format("\"{}\"", merge.substr(0, 80))});
  }
  return {merge.substr(0, space), merge.substr(space + 1)};
}

MergeTable::MergeTable(const Vocab& vocab, const TokenIndex& index)
    : index_(&index), n_tokens_(static_cast<SymbolId>(vocab.tokens.size())) {
  const std::vector<std::string>& merges = vocab.merges;
  slots_.resize(std::bit_ceil(merges.size() + merges.size() / 2 + 1));
  mask_ = slots_.size() - 1;

  struct Pending {
    MergeSides sides;
    std::string result;
    std::uint64_t left, right, both;  // hashes
  };
  std::array<Pending, kBatch> batch;
  for (std::size_t from = 0; from < merges.size(); from += kBatch) {
    const std::size_t n = std::min(kBatch, merges.size() - from);
    for (std::size_t i = 0; i < n; ++i) {
      Pending& p = batch[i];
      p.sides = merge_sides(vocab, from + i);
      p.result.assign(p.sides.left).append(p.sides.right);
      p.left = hash_text(p.sides.left);
      p.right = hash_text(p.sides.right);
      p.both = hash_text(p.result);
      for (const std::uint64_t hash : {p.left, p.right, p.both}) index.prefetch(hash);
    }
    for (std::size_t i = 0; i < n; ++i) {
      const Pending& p = batch[i];
      insert(intern(p.sides.left, p.left), intern(p.sides.right, p.right),
             {static_cast<std::uint32_t>(from + i), intern(p.result, p.both)});
    }
  }
}

SymbolId MergeTable::intern(std::string_view text, std::uint64_t hash) {
  if (const TokenId id = index_->find(text, hash); id != kNoToken) return static_cast<SymbolId>(id);
  const auto next = static_cast<SymbolId>(n_tokens_ + extras_.size());
  return extras_.emplace(text, next).first->second;
}

SymbolId MergeTable::symbol(std::string_view text) const {
  if (const TokenId id = index_->find(text); id != kNoToken) return static_cast<SymbolId>(id);
  if (extras_.empty()) return kNoSymbol;
  const auto found = extras_.find(std::string(text));
  return found == extras_.end() ? kNoSymbol : found->second;
}

std::size_t MergeTable::first_slot(SymbolId left, SymbolId right) const {
  std::uint64_t h = (std::uint64_t{left} << 32 | right) * 0x9E3779B97F4A7C15u;
  h ^= h >> 32;
  return (h * 0xD6E8FEB86659FD93u >> 32) & mask_;
}

void MergeTable::insert(SymbolId left, SymbolId right, Merge merge) {
  std::size_t i = first_slot(left, right);
  for (; slots_[i].left != kNoSymbol; i = (i + 1) & mask_) {
    if (slots_[i].left == left && slots_[i].right == right) return;
  }
  slots_[i] = {left, right, merge};
}

Merge MergeTable::find(SymbolId left, SymbolId right) const {
  for (std::size_t i = first_slot(left, right); slots_[i].left != kNoSymbol; i = (i + 1) & mask_) {
    if (slots_[i].left == left && slots_[i].right == right) return slots_[i].merge;
  }
  return {};
}

}  // namespace hearth
