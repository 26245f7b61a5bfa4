// hearth logits: the logits of every position of a list of tokens, as a file of floats. Of an
// encoder, the pooled embedding.
#include <bit>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/output_file.h"
#include "tools/cli/command_line.h"
#include "tools/cli/commands.h"
#include "tools/cli/engine_options.h"
#include "tools/cli/model_option.h"
#include "tools/cli/progress_bar.h"
#include "tools/cli/token_list.h"

namespace hearth::cli {
namespace {

static_assert(sizeof(float) == 4 && std::endian::native == std::endian::little);

struct Options {
  EngineOptions engine;
  std::string tokens;
  std::string output;
};

void run(Options options) {
  const std::vector<std::int32_t> tokens = parse_tokens(options.tokens);
  const gguf::Reader file = open_model(options.engine.model);
  if (options.engine.n_ctx == 0) options.engine.n_ctx = context_for(file, tokens.size());
  const ModelBundle bundle = load_with(file, options.engine);
  OutputFile out(options.output);
  ProgressBar bar("computing");
  if (bundle.model->hparams.causal) {
    const auto write = [&](std::span<const float> logits) { out.write(std::as_bytes(logits)); };
    bundle.context->eval_all(tokens, write, bar.progress());
  } else {
    const std::vector<float> embedding = bundle.context->embed(tokens, bar.progress());
    out.write(std::as_bytes(std::span(embedding)));
  }
  out.commit();
}

}  // namespace

void add_logits(CommandLine& line) {
  Command command =
      line.command("logits", "Write the logits of every position of a list of tokens to a file");
  const auto options = std::make_shared<Options>();
  add_engine_options(command, options->engine);
  command.option("--tokens", options->tokens, "token ids, separated by spaces").required();
  command.option("-o,--output", options->output, "file of float32 [tokens][vocabulary]").required();
  command.runs([options] { run(*options); });
}

}  // namespace hearth::cli
