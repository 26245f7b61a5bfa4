// Searching an index, as search, ask, chat and eval do it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/retrieval/index.h"
#include "engine/retrieval/usual_cosine.h"
#include "tools/cli/embedder_options.h"
#include "tools/cli/index_embedder.h"

namespace hearth::cli {

class Command;

struct RetrievalOptions {
  std::string index;  // path
  EmbedderChoice embedder;
  int k = 5;
  bool words_only = false;
  bool vectors_only = false;
  std::vector<std::string> where;  // NAME=VALUE, NAME^=PREFIX, NAME in A,B ...
};

/// Adds the index as positional argument unless it has `option`, and -k, --embedder and its kin,
/// --words, --vectors and --where.
void add_retrieval_options(Command& command, RetrievalOptions& options,
                           const std::string& option = "index");

/// A notice on stderr says if the newest commit is damaged. Throws Error if nothing was before it.
void check_state(const retrieval::Index& index);

struct Hit {
  double score;  // by which it was ranked
  std::string key, text, source, heading;
  int line = 1;
  std::vector<std::pair<std::string, std::string>> facts = {};  // all of them

  /// "guide.md:12, Shipping > Abroad"
  std::string place() const;
};

struct Hits {
  std::vector<Hit> best;
  /// How sure one can be that the best answers the question, 0 to 1: how far its cosine stands
  /// above what is usual, where there are vectors, or its share of the BM25 score of a usual text
  /// with all of the question's words; the larger where there are both.
  double confidence = 0.0;
  bool is_question_truncated = false;  // the embedder did not look at all of it
};

/// An open index and the model for its questions.
class Retriever {
 public:
  /// Throws Error, as check_state() does, too.
  explicit Retriever(const RetrievalOptions& options);

  const retrieval::Index& index() const { return index_; }

  /// Throws Error if the question is not UTF-8. A notice on stderr says if the embedder looks at a
  /// part of it alone.
  Hits search(const std::string& question);

 private:
  std::vector<retrieval::Scored> ranked(const std::string& question,
                                        const std::vector<float>& vector) const;

  RetrievalOptions options_;
  retrieval::Index index_;
  std::optional<retrieval::UsualCosine> usual_;  // if there is an embedder
  std::unique_ptr<IndexEmbedder> embedder_;
  retrieval::Index::Filter filter_;
};

}  // namespace hearth::cli
