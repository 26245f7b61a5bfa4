#include "tools/cli/index_embedder.h"

#include <algorithm>

#include "base/error.h"
#include "tools/cli/model_option.h"

namespace hearth::cli {
namespace {

retrieval::EmbeddedText as_text(Embedding e) {
  return {.vector = std::move(e.values),
          .n_tokens = e.n_tokens,
          .n_kept = e.n_kept,
          .n_unknown = e.n_unknown};
}

}  // namespace

IndexEmbedder::IndexEmbedder(const EmbedderChoice& choice)
    : file_(open_model(choice.model)),
      embedder_(load_embedder(file_, choice)),
      fingerprint_(embedder_.fingerprint()) {
  if (embedder_.pooling() == Pooling::none) {
    throw Error(
        Error::Parts{.where = file_.name(),
                     .what = "gives a vector for each token, and an index has one for a text",
                     .expected = "--pooling mean, cls or last",
                     .got = {}});
  }
  const auto added = static_cast<int>(embedder_.tokens("", TextRole::document).size());
  max_tokens_ = std::max(8, embedder_.max_tokens() - added);
}

std::uint32_t IndexEmbedder::dimension() const {
  return static_cast<std::uint32_t>(embedder_.n_embd());
}

int IndexEmbedder::count_tokens(std::string_view text) const {
  return static_cast<int>(embedder_.tokenizer().encode(text, {.add_special = false}).size());
}

std::vector<retrieval::EmbeddedText> IndexEmbedder::embed_documents(
    std::span<const std::string> texts, const ProgressFn& progress) {
  std::vector<retrieval::EmbeddedText> out;
  for (Embedding& e : embedder_.embed(texts, TextRole::document, progress)) {
    out.push_back(as_text(std::move(e)));
  }
  return out;
}

retrieval::EmbeddedText IndexEmbedder::embed_query(const std::string& text) {
  return as_text(std::move(embedder_.embed(std::span(&text, 1), TextRole::query).front()));
}

std::unique_ptr<IndexEmbedder> embedder_for(const retrieval::Index& index,
                                            const EmbedderChoice& choice) {
  const std::string& wanted = index.settings().embedder;
  if (choice.model.empty() && wanted.empty()) return nullptr;
  if (choice.model.empty()) {
    throw Error(Error::Parts{.where = index.name(),
                             .what = "the index has vectors, so that the question needs one too "
                                     "(--words searches by words alone)",
                             .expected = "--embedder with the model that it was made with",
                             .got = wanted});
  }
  auto embedder = std::make_unique<IndexEmbedder>(choice);
  index.check_embedder(embedder->fingerprint());
  return embedder;
}

}  // namespace hearth::cli
