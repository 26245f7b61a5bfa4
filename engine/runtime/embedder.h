// Texts to vectors: an encoder (or a decoder that was trained for it) run over many texts at once,
// its hidden states pooled into one vector per text. What the model's makers want done with texts
// stands in its metadata: pooling_type and embedding.* (gguf/keys_table.cpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.h"
#include "engine/runtime/context.h"
#include "gguf/reader.h"
#include "tokenizer/tokenizer.h"

namespace hearth {

enum class TextRole : std::uint8_t { plain, query, document };  // which prefix a text gets

struct EmbedderOptions {
  LoadOptions load = {};                // n_ctx, n_ubatch and n_slots are the embedder's affair
  int max_tokens = 0;                   // of a text; 0: what the model says
  std::optional<Pooling> pooling = {};  // none: what the model says
  std::optional<bool> normalize = {};
  std::optional<std::string> query_prefix = {};
  std::optional<std::string> document_prefix = {};
  /// Tokens of a step, of all its texts together: enough for the matrix kernels, few enough for
  /// what a layer hands on to stay in the caches.
  int n_batch_tokens = 256;
  int n_batch_texts = 32;
};

struct Embedding {
  std::vector<float> values;  // [n_embd]; with Pooling::none [n_kept][n_embd]
  int n_tokens = 0;           // of the text, with its prefix and the special tokens
  int n_kept = 0;             // of these, how many were looked at
  int n_unknown = 0;          // of n_tokens, those that are the unknown token

  bool is_truncated() const { return n_kept < n_tokens; }
};

class Embedder {
 public:
  /// Loads `file`, which must outlive the embedder. Throws Error when it cannot be run, or has no
  /// way of making one vector of a text.
  explicit Embedder(const gguf::Reader& file, EmbedderOptions options = {});

  int n_embd() const { return bundle_.model->hparams.n_embd; }
  int max_tokens() const { return max_tokens_; }
  Pooling pooling() const { return pooling_; }
  bool normalizes() const { return normalize_; }
  const Tokenizer& tokenizer() const { return *tokenizer_; }

  /// The tokens of a text with its prefix and the special tokens, however many.
  std::vector<TokenId> tokens(std::string_view text, TextRole role) const;

  /// An embedding per text, in order. Texts go through the model in steps of several, each by
  /// itself: what a text gives does not depend on its neighbours. A text of more than max_tokens()
  /// keeps its first ones and the special token at its end. Progress counts texts.
  std::vector<Embedding> embed(std::span<const std::string> texts, TextRole role,
                               const ProgressFn& progress = {});

  /// What the vectors depend on, in one line: two embedders with the same fingerprint give the same
  /// vectors. Reads every weight.
  std::string fingerprint() const;

 private:
  struct Piece;

  void run(std::span<const Piece> pieces, std::span<Embedding> out);
  std::vector<float> pooled(std::span<const float> rows) const;

  const gguf::Reader* file_;
  ModelBundle bundle_;
  std::unique_ptr<Tokenizer> tokenizer_;
  Pooling pooling_ = Pooling::mean;
  bool normalize_ = true;
  int max_tokens_ = 0;
  std::string prefixes_[3];  // by TextRole
};

/// "mean", "cls", "last" or "none".
std::string_view pooling_name(Pooling pooling);

}  // namespace hearth
