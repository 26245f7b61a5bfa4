#include "tokenizer/token_index.h"

#include <bit>
#include <cstring>

namespace hearth {
namespace {

constexpr std::uint64_t kPhi = 0x9E3779B97F4A7C15u;  // 2^64 / golden ratio

std::uint64_t mix(std::uint64_t x) {
  x ^= x >> 32;
  x *= 0xD6E8FEB86659FD93u;  // a full-avalanche multiplier (Jon Maiga's mx3 family)
  return x ^ (x >> 32);
}

std::uint64_t little_endian_word(const char* bytes, std::size_t n) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, n);
  if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
  return word;
}

}  // namespace

std::uint64_t hash_text(std::string_view text) {
  std::uint64_t h = text.size() * kPhi;
  const char* bytes = text.data();
  std::size_t left = text.size();
  for (; left > 8; left -= 8, bytes += 8) h = mix(h ^ little_endian_word(bytes, 8)) * kPhi;
  return mix(h ^ little_endian_word(bytes, left));
}

TokenIndex::TokenIndex(const std::vector<std::string>& tokens) : tokens_(&tokens) {
  slots_.resize(std::bit_ceil(2 * tokens.size() + 1));
  mask_ = slots_.size() - 1;
  for (std::size_t id = 0; id < tokens.size(); ++id) {
    if (tokens[id].empty()) continue;
    const std::uint64_t hash = hash_text(tokens[id]);
    const auto short_hash = static_cast<std::uint32_t>(hash >> 32);
    std::size_t i = hash & mask_;
    while (slots_[i].id != kNoToken &&
           !(slots_[i].hash == short_hash &&
             tokens[static_cast<std::size_t>(slots_[i].id)] == tokens[id])) {
      i = (i + 1) & mask_;
    }
    if (slots_[i].id == kNoToken) slots_[i] = {short_hash, static_cast<TokenId>(id)};
  }
}

void TokenIndex::prefetch(std::uint64_t hash) const {
  __builtin_prefetch(&slots_[hash & mask_]);
}

TokenId TokenIndex::find(std::string_view text, std::uint64_t hash) const {
  const auto short_hash = static_cast<std::uint32_t>(hash >> 32);
  for (std::size_t i = hash & mask_; slots_[i].id != kNoToken; i = (i + 1) & mask_) {
    const Slot& slot = slots_[i];
    if (slot.hash == short_hash && (*tokens_)[static_cast<std::size_t>(slot.id)] == text)
      return slot.id;
  }
  return kNoToken;
}

}  // namespace hearth
