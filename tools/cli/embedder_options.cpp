#include "tools/cli/embedder_options.h"

#include "tools/cli/command_line.h"
#include "tools/cli/progress_bar.h"

namespace hearth::cli {

void add_embedder_options(Command& command, EmbedderChoice& choice, const std::string& name) {
  constexpr const char* kGroup = "Embedding";
  EmbedderOptions& o = choice.options;
  command.option(name, choice.model, "GGUF file of an embedding model").type("FILE").group(kGroup);
  command
      .choice("--pooling", o.pooling,
              {{"none", Pooling::none},
               {"mean", Pooling::mean},
               {"cls", Pooling::cls},
               {"last", Pooling::last}},
              "how the vectors of tokens become one (default: what the model says)")
      .group(kGroup);
  command
      .flag(
          "--no-normalize", [&o] { o.normalize = false; }, "leave the vectors as long as they are")
      .group(kGroup);
  command
      .option("--text-tokens", o.max_tokens,
              "tokens of a text that count (default: what the model says)")
      .range(3, 1 << 20)
      .group(kGroup);
  command.option("--query-prefix", o.query_prefix, "what queries begin with").group(kGroup);
  command.option("--document-prefix", o.document_prefix, "what documents begin with").group(kGroup);
  command.option("--batch", o.n_batch_texts, "texts that go through the model together")
      .range(1, 1024)
      .shows_default()
      .group(kGroup);
}

Embedder load_embedder(const gguf::Reader& file, const EmbedderChoice& choice) {
  ProgressBar bar("loading");
  EmbedderOptions options = choice.options;
  options.load.progress = bar.progress();
  return Embedder(file, options);
}

}  // namespace hearth::cli
