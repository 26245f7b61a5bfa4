// The options of every command that makes embeddings: the model, how texts become vectors.
#pragma once

#include <string>

#include "engine/runtime/embedder.h"
#include "tools/cli/engine_options.h"

namespace hearth::cli {

class Command;

struct EmbedderChoice {
  std::string model;  // empty: none was given
  EmbedderOptions options;
};

/// Adds NAME (-m/--model or --embedder), --pooling, --no-normalize, --text-tokens, --query-prefix,
/// --document-prefix and --batch.
void add_embedder_options(Command& command, EmbedderChoice& choice, const std::string& name);

/// Loads the model with a progress bar. `file` outlives the embedder.
Embedder load_embedder(const gguf::Reader& file, const EmbedderChoice& choice);

}  // namespace hearth::cli
