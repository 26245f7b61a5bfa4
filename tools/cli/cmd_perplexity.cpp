// hearth perplexity: how well a model predicts a text; with --against, how far its predictions are
// from another model's.
#include <fmt/format.h>

#include <limits>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "engine/runtime/perplexity.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/vocab_gguf.h"
#include "tools/cli/command_line.h"
#include "tools/cli/commands.h"
#include "tools/cli/engine_options.h"
#include "tools/cli/model_option.h"
#include "tools/cli/progress_bar.h"
#include "tools/cli/terminal.h"
#include "tools/cli/text_input.h"

namespace hearth::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kUsualContext = 512;  // what published figures use

struct Options {
  EngineOptions engine;
  TextInput text;
  std::string against;
  int stride = 0;
  bool json = false;
};

Json to_json(const Perplexity& p) {
  return {{"perplexity", p.value()},
          {"perplexity_error", p.error()},
          {"mean_negative_log_likelihood", p.negative_log_likelihood.value},
          {"tokens", p.tokens}};
}

Json to_json(const Divergence& d) {
  return {{"kl_mean", d.kl.value},     {"kl_error", d.kl.error}, {"kl_max", d.largest_kl},
          {"same_top", d.same_top},    {"tokens", d.tokens},     {"model", to_json(d.model)},
          {"against", to_json(d.base)}};
}

std::string in_words(const Perplexity& p) {
  return fmt::format("perplexity {:.4f} +- {:.4f} over {} tokens\n", p.value(), p.error(),
                     p.tokens);
}

std::string in_words(const Divergence& d) {
  return fmt::format(
      "perplexity {:.4f} +- {:.4f}, against {:.4f} +- {:.4f}, over {} tokens\n"
      "KL divergence: mean {:.6g} +- {:.2g}, largest {:.4g}\n"
      "same likeliest token: {:.3f} %\n",
      d.model.value(), d.model.error(), d.base.value(), d.base.error(), d.tokens, d.kl.value,
      d.kl.error, d.largest_kl, 100 * d.same_top);
}

template <typename Result>
void print(const Result& result, bool json) {
  write_output(json ? to_json(result).dump(2) + "\n" : in_words(result));
}

/// The base must read the text as the model does.
void check_same_tokens(const Tokenizer& model, const Tokenizer& base, const std::string& path) {
  if (model.vocab().tokens == base.vocab().tokens) return;
  throw Error(
      Error::Parts{.where = path,
                   .what = "has another vocabulary, so the predictions cannot be compared",
                   .expected = "the same tokens as the model's",
                   .got = fmt::format("{} tokens, some of them different", base.n_tokens())});
}

void run(Options options) {
  const std::string text = read_text(options.text);
  const gguf::Reader file = open_model(options.engine.model);
  const auto tokenizer = Tokenizer::create(vocab_from_gguf(file));
  options.engine.usual_ctx = kUsualContext;
  const std::vector<TokenId> tokens = tokenizer->encode(text, {.add_special = false});
  const Vocab& vocab = tokenizer->vocab();
  const TextRun measured{
      .tokens = tokens, .bos = vocab.add_bos ? vocab.bos : kNoToken, .stride = options.stride};
  const ModelBundle model = load_generator(file, options.engine);
  if (options.against.empty()) {
    ProgressBar bar("measuring");
    const Perplexity result = measure_perplexity(*model.context, measured, bar.progress());
    bar.clear();
    print(result, options.json);
    return;
  }
  const gguf::Reader base_file = gguf::Reader::open(options.against);
  check_same_tokens(*tokenizer, *Tokenizer::create(vocab_from_gguf(base_file)), options.against);
  const ModelBundle base = load_generator(base_file, options.engine);
  ProgressBar bar("comparing");
  const Divergence result =
      measure_divergence(*base.context, *model.context, measured, bar.progress());
  bar.clear();
  print(result, options.json);
}

}  // namespace

void add_perplexity(CommandLine& line) {
  Command command = line.command("perplexity", "Measure how well a model predicts a text");
  const auto options = std::make_shared<Options>();
  add_engine_options(command, options->engine);
  add_text_input(command, options->text, "text", "the text (default: stdin)");
  command
      .option("--stride", options->stride,
              "tokens between windows of one context (default: half a context)")
      .range(1, std::numeric_limits<int>::max());
  command
      .option("--against,--kl-base", options->against,
              "also the KL divergence from this model's predictions")
      .type("FILE");
  command.flag("--json", options->json, "print JSON");
  command.runs([options] { run(*options); });
}

}  // namespace hearth::cli
