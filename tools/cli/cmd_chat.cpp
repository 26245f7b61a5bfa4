// hearth chat: a conversation with a model.
#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "engine/runtime/context.h"
#include "engine/runtime/session.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/vocab_gguf.h"
#include "tools/cli/chat_loop.h"
#include "tools/cli/command_line.h"
#include "tools/cli/commands.h"
#include "tools/cli/engine_options.h"
#include "tools/cli/generation_options.h"
#include "tools/cli/line_editor.h"
#include "tools/cli/model_option.h"
#include "tools/cli/prompt_options.h"
#include "tools/cli/terminal.h"
#include "tools/cli/units.h"

namespace hearth::cli {
namespace {

struct Options {
  EngineOptions engine;
  GenerationOptions generation;
  ConversationOptions conversation;
  OverflowPolicy overflow = OverflowPolicy::error;
  RetrievalOptions retrieval;
  GroundingOptions grounding;
};

std::string model_name(const gguf::Reader& file) {
  const gguf::Value* name = file.find("general.name");
  if (name && name->type() == gguf::ValueType::string && !name->as_string().empty()) {
    return std::string(name->as_string());
  }
  return std::filesystem::path(file.name()).filename().string();
}

void greet(const gguf::Reader& file, const Options& options, const Context& context) {
  const std::string& chosen = options.conversation.chat_template;
  std::uint64_t parameters = 0;
  for (const gguf::Tensor& tensor : file.tensors()) parameters += tensor.elements();
  notice(fmt::format("{}: {} parameters, {}, context {}, template: {}", model_name(file),
                     count_text(parameters), bytes_text(file.file_bytes()), context.n_ctx(),
                     chosen.empty() ? "the model's own" : chosen));
  if (options.engine.model.empty()) {
    notice(
        "This is the toy in the box: it knows small talk, little stories and Hearth itself.\n"
        "A real model is a GGUF file: hearth chat -m MODEL.gguf; the README says where to get "
        "one.");
  }
  notice("/help lists the commands, Ctrl-C stops an answer, Ctrl-D leaves.\n");
}

std::string settings(const GenerationOptions& options) {
  const SamplingOptions& s = options.sampling;
  if (s.temperature == 0) return "sampling the likeliest token every time (--temp 0)";
  return fmt::format("sampling --temp {} --top-k {} --top-p {} --min-p {} --seed {}", s.temperature,
                     s.top_k, s.top_p, s.min_p, *options.seed);
}

void run(Options options) {
  LineEditor input;
  const gguf::Reader file = open_model(options.engine.model);
  const auto tokenizer = Tokenizer::create(vocab_from_gguf(file));
  PromptRenderer render = make_renderer(options.conversation, *tokenizer);
  Sampler sampler = make_sampler(options.generation, *tokenizer);
  const std::string system = system_prompt(options.conversation);
  const ModelBundle model = load_generator(file, options.engine);
  Session session(
      *model.context, *tokenizer, std::move(render), std::move(sampler),
      {.overflow = options.overflow, .generate = make_generate_options(options.generation)});
  session.set_system(system);
  if (input.is_interactive()) greet(file, options, *model.context);
  std::optional<ChatGrounding> grounding;
  if (!options.retrieval.index.empty()) grounding.emplace(options.retrieval, options.grounding);
  ChatLoop(session, input, settings(options.generation), grounding ? &*grounding : nullptr).run();
}

}  // namespace

void add_chat(CommandLine& line) {
  Command command = line.command("chat", "Talk with a model");
  const auto options = std::make_shared<Options>();
  add_conversation_options(command, options->conversation);
  command.choice("--overflow", options->overflow,
                 {{"error", OverflowPolicy::error}, {"drop-oldest", OverflowPolicy::drop_oldest}},
                 "when the conversation outgrows the context: error, or drop-oldest turns");
  add_retrieval_options(command, options->retrieval, "--kb");
  add_grounding_options(command, options->grounding);
  add_generation_options(command, options->generation);
  add_engine_options(command, options->engine);
  command.runs([options] { run(*options); });
}

}  // namespace hearth::cli
