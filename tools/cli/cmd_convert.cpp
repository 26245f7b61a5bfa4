// hearth convert: a checkpoint of Hugging Face to GGUF.
#include <fmt/format.h>

#include <memory>
#include <string>

#include "base/error.h"
#include "engine/convert/convert.h"
#include "engine/device/thread_pool.h"
#include "tools/cli/command_line.h"
#include "tools/cli/commands.h"
#include "tools/cli/progress_bar.h"
#include "tools/cli/terminal.h"
#include "tools/cli/units.h"

namespace hearth::cli {
namespace {

struct Options {
  std::string folder;
  std::string output;
  std::string type;
  int n_threads = 0;
};

QuantType type_called(const std::string& name) {
  const QuantTypeInfo* info = find_quant_type(std::string_view(name));
  if (info && info->is_weight) return info->type;
  throw Error(Error::Parts{.where = "--type",
                           .what = "is not a type of weights",
                           .expected = "F32, F16, BF16, Q8_0 or another that `hearth quantize` has",
                           .got = name});
}

void run(const Options& options) {
  CheckpointOptions how{.type = {}, .n_threads = options.n_threads};
  if (!options.type.empty()) how.type = type_called(options.type);
  if (how.n_threads == 0) how.n_threads = default_thread_count();
  CheckpointReport report;
  {
    ProgressBar bar("converting");
    report = convert_checkpoint(options.folder, options.output, how, bar.progress());
  }
  if (report.other_parts > 0) {
    notice(fmt::format("the text part alone is converted: {} tensors of other parts are left out",
                       report.other_parts));
  }
  if (report.in_f16 > 0) {
    notice(
        fmt::format("{} matrices have rows that are not made of whole blocks of {}: they are F16",
                    report.in_f16, options.type));
  }
  write_output(fmt::format("{}: {} tensors, {}\n", options.output, report.tensors,
                           bytes_text(report.bytes)));
}

}  // namespace

void add_convert(CommandLine& line) {
  Command command = line.command("convert", "A checkpoint of Hugging Face as a GGUF file");
  const auto options = std::make_shared<Options>();
  command.option("folder", options->folder, "Folder with config.json and safetensors files")
      .required();
  command.option("output", options->output, "GGUF file to write").required();
  command.option("--type", options->type, "type of the matrices (default: what the checkpoint has)")
      .type("TYPE");
  add_threads_option(command, options->n_threads);
  command.runs([options] { run(*options); });
}

}  // namespace hearth::cli
