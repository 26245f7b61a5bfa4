#include "tools/cli/embedder_options.h"

#include <map>

#include <CLI/CLI.hpp>

#include "tools/cli/progress_bar.h"

namespace hearth::cli {

void add_embedder_options(CLI::App& command, EmbedderChoice& choice, const std::string& name) {
  constexpr const char* kGroup = "Embedding";
  EmbedderOptions& o = choice.options;
  command.add_option(name, choice.model, "GGUF file of an embedding model")
      ->type_name("FILE")
      ->group(kGroup);
  const std::map<std::string, Pooling> poolings = {{"none", Pooling::none},
                                                   {"mean", Pooling::mean},
                                                   {"cls", Pooling::cls},
                                                   {"last", Pooling::last}};
  command
      .add_option_function<std::string>(
          "--pooling", [&o, poolings](const std::string& word) { o.pooling = poolings.at(word); },
          "how the vectors of tokens become one (default: what the model says)")
      ->check(CLI::IsMember({"none", "mean", "cls", "last"}))
      ->type_name("none|mean|cls|last")
      ->group(kGroup);
  command
      .add_flag_callback(
          "--no-normalize", [&o] { o.normalize = false; }, "leave the vectors as long as they are")
      ->group(kGroup);
  command
      .add_option("--text-tokens", o.max_tokens,
                  "tokens of a text that count (default: what the model says)")
      ->check(CLI::Range(3, 1 << 20))
      ->group(kGroup);
  command.add_option("--query-prefix", o.query_prefix, "what queries begin with")->group(kGroup);
  command.add_option("--document-prefix", o.document_prefix, "what documents begin with")
      ->group(kGroup);
  command.add_option("--batch", o.n_batch_texts, "texts that go through the model together")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str()
      ->group(kGroup);
}

Embedder load_embedder(const gguf::Reader& file, const EmbedderChoice& choice) {
  ProgressBar bar("loading");
  EmbedderOptions options = choice.options;
  options.load.progress = bar.progress();
  return Embedder(file, options);
}

}  // namespace hearth::cli
