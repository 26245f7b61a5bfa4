#include "tokenizer/charsmap.h"

#include <fmt/format.h>

#include "base/error.h"

namespace hearth {
namespace {

// The fields of a node, a 32-bit word.
std::uint32_t base_of(std::uint32_t node) {
  const std::uint32_t shift = node & 1u << 9 ? 8 : 0;
  return node >> 10 << shift;
}
bool is_child_by(std::uint32_t node, unsigned char byte) {
  return (node & (1u << 31 | 0xFFu)) == byte;
}
bool has_value(std::uint32_t node) {
  return (node & 1u << 8) != 0;
}
std::uint32_t value_of(std::uint32_t node) {
  return node & ~(1u << 31);
}

std::uint32_t read_u32(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i)
    value |= std::uint32_t{static_cast<unsigned char>(bytes[at + i])} << 8 * i;
  return value;
}

}  // namespace

Charsmap::Charsmap(std::string_view table) {
  if (table.empty()) return;
  const std::size_t n_bytes = table.size() < 4 ? 0 : read_u32(table, 0);
  if (table.size() < 4 || n_bytes == 0 || n_bytes % 4 != 0 || n_bytes > table.size() - 4) {
    throw Error({.where = "tokenizer.ggml.precompiled_charsmap",
                 .what = "its array does not fit into it",
                 .expected = fmt::format("a multiple of 4 bytes, at most {}", table.size()),
                 .got = fmt::format("{}", n_bytes)});
  }
  nodes_.reserve(n_bytes / 4);
  for (std::size_t at = 4; at < 4 + n_bytes; at += 4) nodes_.push_back(read_u32(table, at));
  replacements_ = table.substr(4 + n_bytes);
  replacements_ += '\0';  // whatever offset a node holds, its replacement ends
}

Charsmap::Match Charsmap::longest(std::string_view text) const {
  Match match;
  if (nodes_.empty()) return match;
  std::size_t at = base_of(nodes_[0]);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    at ^= byte;
    if (byte == 0 || at >= nodes_.size() || !is_child_by(nodes_[at], byte)) break;
    const bool is_end = has_value(nodes_[at]);
    at ^= base_of(nodes_[at]);
    if (at >= nodes_.size()) break;
    if (!is_end) continue;
    const std::uint32_t offset = value_of(nodes_[at]);
    if (offset >= replacements_.size()) break;
    match = {i + 1, std::string_view(replacements_.c_str() + offset)};
  }
  return match;
}

}  // namespace hearth
