// hearth ask: one question, answered from an index, with sources.
#include <fmt/format.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/utf8.h"
#include "engine/runtime/generate.h"
#include "engine/runtime/prompt_cache.h"
#include "engine/runtime/session.h"
#include "tokenizer/vocab_gguf.h"
#include "tools/cli/command_line.h"
#include "tools/cli/commands.h"
#include "tools/cli/engine_options.h"
#include "tools/cli/generation_options.h"
#include "tools/cli/interrupt.h"
#include "tools/cli/model_option.h"
#include "tools/cli/progress_bar.h"
#include "tools/cli/prompt_options.h"
#include "tools/cli/rag_prompt.h"
#include "tools/cli/retrieve.h"
#include "tools/cli/terminal.h"

namespace hearth::cli {
namespace {

struct Options {
  RetrievalOptions retrieval;
  GroundingOptions grounding;
  EngineOptions engine;
  GenerationOptions generation;
  ConversationOptions conversation;
  std::string question;
  bool json = false;
};

struct Answer {
  std::string text;
  std::vector<Hit> sources;  // that the model saw
  double confidence = 0.0;
  bool is_known = true;
};

/// The prompt with as many of the best sources as the context has room for; the others are dropped
/// from `sources`, whole ones only.
std::vector<TokenId> fitting_prompt(const Options& options, const Tokenizer& tokenizer,
                                    std::vector<Hit>& sources, int n_ctx) {
  constexpr int kUsualAnswer = 256;
  const RagPrompt prompt(options.grounding.template_file);
  const PromptRenderer render = make_renderer(options.conversation, tokenizer);
  const int wanted = options.generation.max_tokens;
  const int reserved = std::min(wanted >= 0 ? wanted : kUsualAnswer, n_ctx / 4);
  const std::size_t n_found = sources.size();
  for (;;) {
    const Conversation conversation{.system = system_prompt(options.conversation)};
    const std::string message = prompt.render(options.question, sources);
    std::vector<TokenId> tokens = encode_prompt(tokenizer, render(conversation.messages(message)));
    if (static_cast<int>(tokens.size()) + reserved <= n_ctx) {
      if (sources.size() < n_found) {
        notice(fmt::format("(the context has room for {} of {} sources; -c gives a larger one)",
                           sources.size(), n_found));
      }
      return tokens;
    }
    if (sources.size() <= 1) {
      throw Error(Error::Parts{.where = "context",
                               .what = "has no room for a single source; -c gives a larger one",
                               .expected = fmt::format("at most {} tokens", n_ctx - reserved),
                               .got = fmt::format("{} tokens", tokens.size())});
    }
    sources.pop_back();
  }
}

void generate_answer(const Options& options, Answer& answer) {
  GenerationOptions generation = options.generation;
  const gguf::Reader file = open_model(options.engine.model);
  const auto tokenizer = Tokenizer::create(vocab_from_gguf(file));
  Sampler sampler = make_sampler(generation, *tokenizer);
  const ModelBundle model = load_generator(file, options.engine);
  const std::vector<TokenId> tokens =
      fitting_prompt(options, *tokenizer, answer.sources, model.context->n_ctx());
  PromptCache cache(*model.context);
  const Interrupt interrupt;
  ProgressBar bar("reading");
  GenerateHooks hooks;
  if (!options.json) {
    hooks.on_text = [&bar](std::string_view text) {
      bar.clear();
      write_output(text);
    };
  }
  hooks.on_prefill = bar.progress();
  hooks.cancelled = [&interrupt] { return interrupt.requested(); };
  const Generation made =
      generate(cache, *tokenizer, sampler, tokens, make_generate_options(generation), hooks);
  bar.clear();
  if (made.finish == FinishReason::cancelled) throw Cancelled();
  answer.text = made.text;
}

std::string as_json(const Answer& answer) {
  nlohmann::ordered_json json = {{"answer", utf8::sanitize(answer.text)},
                                 {"in_documents", answer.is_known},
                                 {"confidence", answer.confidence}};
  json["sources"] = nlohmann::ordered_json::array();
  for (const Hit& hit : answer.sources) {
    json["sources"].push_back({{"source", utf8::sanitize(hit.source)},
                               {"heading", utf8::sanitize(hit.heading)},
                               {"line", hit.line},
                               {"score", hit.score}});
  }
  return json.dump() + "\n";
}

void run(const Options& options) {
  check_grounding(options.grounding);
  Answer answer;
  {
    Retriever retriever(options.retrieval);
    Hits hits = retriever.search(options.question);
    answer.sources = std::move(hits.best);
    answer.confidence = hits.confidence;
  }
  answer.is_known = !answer.sources.empty() && answer.confidence >= options.grounding.threshold;
  if (answer.is_known) {
    generate_answer(options, answer);
  } else {
    answer.text = kNotInDocuments;
    answer.sources.clear();
    if (!options.json) write_output(answer.text);
  }
  if (options.json) return write_output(as_json(answer));
  write_output(answer.text.ends_with('\n') ? "" : "\n");
  if (answer.is_known) return write_output("\nSources:\n" + source_lines(answer.sources));
  notice(fmt::format("(confidence {:.2f}, below the threshold of {:.2f})", answer.confidence,
                     options.grounding.threshold));
}

}  // namespace

void add_ask(CommandLine& line) {
  Command command = line.command("ask", "Answer a question from an index, with sources");
  const auto options = std::make_shared<Options>();
  add_retrieval_options(command, options->retrieval);
  command.option("question", options->question, "The question").required();
  add_grounding_options(command, options->grounding);
  command.flag("--json", options->json, "answer, sources and confidence as JSON");
  add_conversation_options(command, options->conversation);
  add_generation_options(command, options->generation);
  add_engine_options(command, options->engine);
  command.runs([options] { run(*options); });
}

}  // namespace hearth::cli
