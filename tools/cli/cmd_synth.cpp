// hearth synth SHAPE TYPE OUT: a model of random weights in the shape of a real one.
#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <string>

#include <nlohmann/json.hpp>

#include "engine/synth/synth.h"
#include "engine/synth/vocabulary.h"
#include "tools/cli/command_line.h"
#include "tools/cli/commands.h"
#include "tools/cli/progress_bar.h"

namespace hearth::cli {
namespace {

struct Arguments {
  std::string shape;
  std::string type;
  std::string out;
  SynthOptions options;
  bool json = false;
};

std::string check_shape(const std::string& name) {
  if (find_shape(name)) return "";
  return fmt::format("no shape is called {}; hearth synth --help lists them", name);
}

/// Takes any letter case and leaves the name as the table has it.
std::string check_type(std::string& name) {
  const std::optional<Mix> mix = find_synth_mix(name);
  if (!mix) return fmt::format("no type is called {}; hearth quantize --help lists them", name);
  name = mix->name;
  return "";
}

std::string shape_list() {
  std::string text = "Shapes:\n";
  for (const Shape& shape : all_shapes()) {
    text += fmt::format("  {:<18} {}: {} layers, {} wide, {} tokens\n", shape.name, shape.family,
                        shape.n_layer, shape.n_embd, shape.n_vocab);
  }
  return text;
}

void print_report(const Arguments& arguments, const SynthReport& report, double seconds) {
  if (arguments.json) {
    const nlohmann::json summary = {{"output", arguments.out},
                                    {"shape", arguments.shape},
                                    {"type", arguments.type},
                                    {"seed", arguments.options.seed},
                                    {"parameters", report.elements},
                                    {"bytes", report.file_bytes},
                                    {"seconds", seconds}};
    fmt::print("{}\n", summary.dump(2));
    return;
  }
  const auto bytes = static_cast<double>(report.file_bytes);
  fmt::print("{}: {:.2f} billion weights, {:.1f} MB, {:.1f} s\n", arguments.out,
             static_cast<double>(report.elements) / 1e9, bytes / 1e6, seconds);
}

void run(const Arguments& arguments) {
  const auto start = std::chrono::steady_clock::now();
  SynthReport report;
  {
    ProgressBar bar("writing");
    report = write_synth_model(*find_shape(arguments.shape), *find_synth_mix(arguments.type),
                               arguments.options, arguments.out, bar.progress());
  }
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  print_report(arguments, report, elapsed.count());
}

}  // namespace

void add_synth(CommandLine& line) {
  const auto arguments = std::make_shared<Arguments>();
  Command command =
      line.command("synth", "Write a model of random weights in the shape of a real one");
  command.option("SHAPE", arguments->shape, "e.g. qwen2.5-1.5b; see below")
      .required()
      .check(check_shape);
  command.option("TYPE", arguments->type, "as quantize names it, e.g. Q4_K_M; or a quant type")
      .required()
      .check(check_type);
  command.option("OUT", arguments->out, "the file to write").required();
  command.option("--seed", arguments->options.seed, "the same seed gives the same file")
      .shows_default();
  command.option("--layers", arguments->options.n_layer, "another number of layers").range(1, 4096);
  command.option("--vocab", arguments->options.n_vocab, "another number of tokens")
      .range(kLeastSynthVocab, 1 << 24);
  command.flag("--json", arguments->json, "print a report for machines");
  command.footer(shape_list());
  command.runs([arguments] { run(*arguments); });
}

}  // namespace hearth::cli
