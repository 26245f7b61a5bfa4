// Runs the steps of a pre-tokenizer: text in, words out.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "tokenizer/pretokenizers.h"

namespace hearth {

/// Compiled once, then used by any number of threads.
class TextSplitter {
 public:
  using WordFn = std::function<void(std::string_view word)>;

  explicit TextSplitter(const PreTokenizer& row);
  ~TextSplitter();

  /// Calls `word` with the pieces of `text` from left to right: views into it, never empty, that
  /// together are the whole text. Any bytes are accepted; one that is not part of well-formed UTF-8
  /// counts as a control character. Time is linear in the text.
  void split(std::string_view text, const WordFn& word) const;

 private:
  struct Impl;
  std::unique_ptr<const Impl> impl_;
};

}  // namespace hearth
