// hearth verify: every op of a device against the reference, on this model and this prompt. The
// first op that is off is named.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/device/checked_device.h"
#include "engine/device/cpu/cpu_device.h"
#include "engine/device/reference_device.h"
#include "engine/device/vulkan/vulkan.h"
#include "engine/runtime/context.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/vocab_gguf.h"
#include "tools/cli/command_line.h"
#include "tools/cli/commands.h"
#include "tools/cli/model_option.h"
#include "tools/cli/token_list.h"

namespace hearth::cli {
namespace {

struct Options {
  std::string model;
  std::string device = "cpu";
  std::string prompt = "The quick brown fox jumps over the lazy dog.";
  std::string tokens;
  int n_threads = 0;
  bool every_op = false;
};

/// How far a GPU may be off: its products have exact weights and float activations, so they are as
/// close as all other verbs.
constexpr Tolerances kGpuTolerances = {.products = 1e-6, .others = 1e-7};

/// What is known of all runs of one verb.
struct Summary {
  std::string verb;
  int count = 0;
  OpCheck worst = {};
};

std::string line(const OpCheck& check) {
  return fmt::format("{:<14} {:<32} {:<14} [{}][{}]  NMSE {:.2e}  {}\n", check.verb, check.weight,
                     check.output, check.rows, check.columns, check.nmse,
                     check.passed() ? "ok" : fmt::format("OFF, allowed {:.0e}", check.tolerance));
}

/// Hears of every op, keeps the worst per verb and the first that is off.
class Report {
 public:
  Report(bool every_op, std::string where) : every_op_(every_op), where_(std::move(where)) {}

  void add(const OpCheck& check) {
    if (every_op_) fmt::print("{}", line(check));
    const auto same = [&](const Summary& summary) { return summary.verb == check.verb; };
    auto found = std::find_if(summaries_.begin(), summaries_.end(), same);
    if (found == summaries_.end()) {
      summaries_.push_back({.verb = std::string(check.verb)});
      found = summaries_.end() - 1;
    }
    ++found->count;
    if (found->count == 1 || !(check.nmse <= found->worst.nmse)) found->worst = check;
    if (!check.passed() && !first_off_) first_off_ = line(check) + "on " + where_;
  }

  void print() const {
    fmt::print("on {}\n{:<14} {:>7}  {:<9} {}\n", where_, "op", "results", "worst", "where");
    for (const Summary& s : summaries_) {
      fmt::print("{:<14} {:>7}  {:<9.2e} {}\n", s.verb, s.count, s.worst.nmse,
                 s.worst.weight.empty() ? s.worst.output : s.worst.weight);
    }
  }

  const std::optional<std::string>& first_off() const { return first_off_; }

 private:
  bool every_op_;
  std::string where_;
  std::vector<Summary> summaries_;
  std::optional<std::string> first_off_;
};

std::vector<std::int32_t> tokens_of(const Options& options, const gguf::Reader& file) {
  if (!options.tokens.empty()) return parse_tokens(options.tokens);
  return Tokenizer::create(vocab_from_gguf(file))->encode(options.prompt);
}

std::unique_ptr<Device> make_device(const Options& options) {
  if (options.device == "cpu")
    return std::make_unique<CpuDevice>(CpuOptions{.n_threads = options.n_threads});
  if (options.device == "reference") return std::make_unique<ReferenceDevice>();
  return open_vulkan_device({.device = options.device == "gpu" ? "" : options.device});
}

/// A GPU takes activations as they are, unless it uses shaders for which they become bytes.
Tolerances tolerances_of(const Device& device) {
  const auto* gpu = dynamic_cast<const VulkanDevice*>(&device);
  if (!gpu) return {};
  const auto rounds = [](const VulkanTier& tier) { return tier.is_on && tier.rounds_inputs; };
  const auto& tiers = gpu->tiers();
  return std::any_of(tiers.begin(), tiers.end(), rounds)
             ? Tolerances{.products = Tolerances{}.products, .others = kGpuTolerances.others}
             : kGpuTolerances;
}

void run(const Options& options) {
  const gguf::Reader file = open_model(options.model);
  const std::vector<std::int32_t> tokens = tokens_of(options, file);
  ReferenceDevice truth;
  const std::unique_ptr<Device> tested = make_device(options);
  const bool is_gpu = options.device != "cpu" && options.device != "reference";
  Report report(options.every_op, tested->name());
  const ModelBundle bundle = load_model_on(
      std::make_unique<CheckedDevice>(
          *tested, truth, [&](const OpCheck& check) { report.add(check); }, tolerances_of(*tested)),
      file,
      {.n_ctx = context_for(file, tokens.size()),
       .kv_type = is_gpu ? std::optional(QuantType::F32) : std::nullopt});
  if (bundle.model->hparams.causal) {
    bundle.context->eval(tokens);
  } else {
    bundle.context->embed(tokens);
  }
  report.print();
  if (!report.first_off()) return;
  throw Error(Error::Parts{.where = options.device,
                           .what = "the first op that is off: " + *report.first_off(),
                           .expected = {},
                           .got = {}});
}

}  // namespace

void add_verify(CommandLine& line) {
  Command command = line.command(
      "verify", "Compare every op of a device with the reference on this model and prompt");
  const auto options = std::make_shared<Options>();
  add_model_option(command, options->model);
  command
      .option("--device", options->device,
              "the device to check: cpu, reference, gpu, or a GPU by index, name or UUID")
      .shows_default();
  command.option("--prompt", options->prompt, "the text to run").shows_default();
  command.option("--tokens", options->tokens, "token ids to run instead of a text");
  add_threads_option(command, options->n_threads);
  command.flag("--every-op", options->every_op, "print every result, not a summary");
  command.runs([options] { run(*options); });
}

}  // namespace hearth::cli
