// An embedding model as an index wants it.
#pragma once

#include <memory>
#include <string>

#include "engine/retrieval/index.h"
#include "engine/retrieval/text_embedder.h"
#include "tools/cli/embedder_options.h"

namespace hearth::cli {

class IndexEmbedder final : public retrieval::TextEmbedder {
 public:
  /// Loads the model that was chosen. Throws Error.
  explicit IndexEmbedder(const EmbedderChoice& choice);

  std::string fingerprint() const override { return fingerprint_; }
  std::uint32_t dimension() const override;
  int max_tokens() const override { return max_tokens_; }
  int count_tokens(std::string_view text) const override;
  std::vector<retrieval::EmbeddedText> embed_documents(std::span<const std::string> texts,
                                                       const ProgressFn& progress) override;
  retrieval::EmbeddedText embed_query(const std::string& text) override;

 private:
  gguf::Reader file_;
  Embedder embedder_;
  std::string fingerprint_;
  int max_tokens_;
};

/// The embedder for an index: none if the index has no vectors. Throws Error if it has and no model
/// was chosen, or another than it was made with.
std::unique_ptr<IndexEmbedder> embedder_for(const retrieval::Index& index,
                                            const EmbedderChoice& choice);

}  // namespace hearth::cli
