// What an index needs of an embedding model. Tests have one of their own.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.h"

namespace hearth::retrieval {

struct EmbeddedText {
  std::vector<float> vector;
  int n_tokens = 0;
  int n_kept = 0;  // of these, how many were looked at
  int n_unknown = 0;

  bool is_truncated() const { return n_kept < n_tokens; }
};

class TextEmbedder {
 public:
  virtual ~TextEmbedder() = default;

  virtual std::string fingerprint() const = 0;
  virtual std::uint32_t dimension() const = 0;

  /// Tokens of a document that count, without those that are added to every text.
  virtual int max_tokens() const = 0;
  virtual int count_tokens(std::string_view text) const = 0;

  virtual std::vector<EmbeddedText> embed_documents(std::span<const std::string> texts,
                                                    const ProgressFn& progress) = 0;
  virtual EmbeddedText embed_query(const std::string& text) = 0;
};

}  // namespace hearth::retrieval
