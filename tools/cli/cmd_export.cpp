// hearth export: the vectors of an index as a FAISS file.
#include <fmt/format.h>

#include <memory>
#include <optional>
#include <string>

#include "base/output_file.h"
#include "engine/retrieval/faiss_exchange.h"
#include "tools/cli/command_line.h"
#include "tools/cli/commands.h"
#include "tools/cli/progress_bar.h"
#include "tools/cli/record_lines.h"
#include "tools/cli/retrieve.h"
#include "tools/cli/terminal.h"

namespace hearth::cli {
namespace {

struct Options {
  std::string index;
  std::string output;
  std::string records;
};

void run(const Options& options) {
  const retrieval::Index index{std::filesystem::path(options.index)};
  check_state(index);
  std::optional<OutputFile> lines;
  if (!options.records.empty()) lines.emplace(options.records);
  std::uint64_t n = 0;
  {
    ProgressBar bar("exporting");
    const auto on_record = [&](std::uint64_t number) {
      if (!lines) return;
      const std::string line = record_line(index.record(number));
      lines->write(std::as_bytes(std::span(line)));
    };
    n = retrieval::export_faiss(index, options.output, on_record, bar.progress());
  }
  if (lines) lines->commit();
  write_output(fmt::format("{} vectors of {} numbers, {}, in {}\n", n,
                           index.settings().layout.dimension,
                           retrieval::metric_name(index.settings().layout.metric), options.output));
}

}  // namespace

void add_export(CommandLine& line) {
  Command command = line.command("export", "Write the vectors of an index for FAISS");
  const auto options = std::make_shared<Options>();
  command.option("index", options->index, "Index that has vectors").type("FILE").required();
  command.option("-o,--output", options->output, "Flat index to write, as FAISS reads it")
      .type("FILE")
      .required();
  command
      .option("--records", options->records,
              "JSON lines to write, too: text and facts of each vector, in their order")
      .type("FILE");
  command.runs([options] { run(*options); });
}

}  // namespace hearth::cli
