// The normalisation table of sentencepiece models (`tokenizer.ggml.precompiled_charsmap`): which
// character sequences become which. Format: sentencepiece's normalizer.cc and Kanda's "Space- and
// Time-Efficient String Dictionaries" (2018): a little-endian u32 with the size in bytes of an
// XOR-compressed compact double array, the array, then the replacements, each ended by a zero byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hearth {

class Charsmap {
 public:
  struct Match {
    std::size_t length = 0;  // bytes of the text that are replaced; 0: none
    std::string_view replacement;
  };

  /// No replacements.
  Charsmap() = default;

  /// Throws Error if the sizes in `table` do not fit. An empty table replaces nothing.
  explicit Charsmap(std::string_view table);

  /// The longest sequence at the start of `text` that is replaced.
  Match longest(std::string_view text) const;

 private:
  std::vector<std::uint32_t> nodes_;
  std::string replacements_;
};

}  // namespace hearth
