// Builds the normalisation tables that tokenizer/charsmap.h reads, by the description of the format
// and without regard to size.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace hearth {

class CharsmapBuilder {
 public:
  using Replacements = std::map<std::string, std::string>;

  /// The table that replaces the keys by their values.
  static std::string build(const Replacements& replacements) {
    CharsmapBuilder builder;
    builder.place(replacements, "", 0);
    std::string table;
    builder.nodes_.insert(builder.nodes_.begin(),
                          static_cast<std::uint32_t>(4 * builder.nodes_.size()));
    for (const std::uint32_t word : builder.nodes_) {
      for (int i = 0; i < 4; ++i) table += static_cast<char>(word >> 8 * i & 0xFF);
    }
    return table + builder.texts_;
  }

 private:
  // A node of the array for every prefix of a key. The children of a node stand at base ^ byte, its
  // value at base ^ 0; each node has a block of 256 places to itself for them.
  void place(const Replacements& all, const std::string& prefix, std::uint32_t at) {
    const auto block = static_cast<std::uint32_t>((nodes_.size() + 255) / 256 * 256);
    nodes_.resize(block + 256);
    nodes_[at] = (at ^ block) << 10;
    if (!prefix.empty()) nodes_[at] |= static_cast<unsigned char>(prefix.back());
    if (const auto found = all.find(prefix); found != all.end()) {
      nodes_[at] |= 1u << 8;
      nodes_[block] = 1u << 31 | static_cast<std::uint32_t>(texts_.size());
      texts_ += found->second + '\0';
    }
    for (unsigned byte = 1; byte < 256; ++byte) {
      const std::string child = prefix + static_cast<char>(byte);
      const auto first = all.lower_bound(child);
      if (first != all.end() && first->first.starts_with(child)) place(all, child, block ^ byte);
    }
  }

  std::vector<std::uint32_t> nodes_ = std::vector<std::uint32_t>(1);
  std::string texts_;
};

}  // namespace hearth
