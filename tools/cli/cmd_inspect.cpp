// hearth inspect: what is in a GGUF file, and whether it breaks rules of the format.
#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <string>

#include "base/error.h"
#include "gguf/check.h"
#include "tools/cli/command_line.h"
#include "tools/cli/commands.h"
#include "tools/cli/inspect_output.h"
#include "tools/cli/model_option.h"

namespace hearth::cli {
namespace {

struct Options {
  std::string model;
  std::string pattern;
  std::string key;
  bool check = false;
  bool graph = false;
  bool metadata = false;
  bool tensors = false;
  bool full = false;
  bool json = false;
};

// Prints every violation; throws Error if there is one, so that the program ends with 1.
void run_check(const Options& options) {
  const std::string name = model_name(options.model);
  const gguf::CheckReport report =
      options.model.empty() ? gguf::check_bytes(builtin_bytes(), name) : gguf::check(options.model);
  (options.json ? print_check_json : print_check_text)(stdout, name, report);
  if (report.ok()) return;
  throw Error({.where = name,
               .what = fmt::format("the file breaks rules of the format in {} place{}",
                                   report.total, report.total == 1 ? "" : "s"),
               .expected = {},
               .got = {}});
}

// Without a choice everything is shown; a list that is chosen, or filtered, comes without summary.
InspectView view_of(const Options& options) {
  const bool choice = options.metadata || options.tensors;
  return {.summary = !choice && options.pattern.empty(),
          .metadata = options.metadata || !choice,
          .tensors = options.tensors || !choice,
          .full = options.full,
          .pattern = options.pattern};
}

void run(const Options& options) {
  if (options.check) return run_check(options);
  const gguf::Reader reader = open_model(options.model);
  if (!options.key.empty()) return print_value(stdout, reader.at(options.key));
  if (options.graph) return print_graph(stdout, reader, options.json);
  (options.json ? print_json : print_text)(stdout, reader, view_of(options));
}

}  // namespace

void add_inspect(CommandLine& line) {
  auto options = std::make_shared<Options>();
  Command command = line.command("inspect", "Show what is in a GGUF file, or check it");
  const Option model = add_model_option(command, options->model);
  command.option("FILE", options->model, "The same as -m FILE").excludes(model);
  command.flag("--metadata", options->metadata, "Only the metadata");
  command.flag("--tensors", options->tensors, "Only the tensors");
  command
      .option("--filter", options->pattern,
              "Only keys and tensors with this in their names; * stands for any text")
      .type("TEXT");
  command.flag("--full", options->full, "Whole arrays and strings");
  const Option key =
      command.option("--key", options->key, "Print the value of one key, as it is").type("KEY");
  command.flag("--graph", options->graph, "List the ops that the model will run").excludes(key);
  command.flag("--json", options->json, "Print JSON");
  command.flag("--check", options->check, "List every rule that the file breaks; exit 1")
      .excludes(key);
  command.runs([options] { run(*options); });
}

}  // namespace hearth::cli
