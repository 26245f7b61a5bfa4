// hearth import: vectors of a FAISS file as an index.
#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "engine/retrieval/faiss_exchange.h"
#include "tools/cli/command_line.h"
#include "tools/cli/commands.h"
#include "tools/cli/index_embedder.h"
#include "tools/cli/progress_bar.h"
#include "tools/cli/record_lines.h"
#include "tools/cli/store_option.h"
#include "tools/cli/terminal.h"
#include "tools/cli/units.h"

namespace hearth::cli {
namespace {

struct Options {
  std::string input;
  std::string output;
  std::string records;
  EmbedderChoice embedder;
  retrieval::Storage storage = retrieval::Storage::f32;
};

void run(const Options& options) {
  const std::string name = std::filesystem::path(options.input).filename().string();
  retrieval::FaissImport how{.embedder = "unknown: the vectors came from " + name.substr(0, 500),
                             .storage = options.storage};
  if (!options.embedder.model.empty()) {
    const IndexEmbedder embedder(options.embedder);
    how.embedder = embedder.fingerprint();
    how.dimension = embedder.dimension();
  }
  std::optional<RecordLines> lines;
  if (!options.records.empty()) {
    lines.emplace(options.records);
    how.next_record = [&lines](std::uint64_t i, std::uint64_t n) {
      retrieval::Record record = lines->next();
      if (i + 1 == n) lines->check_end();
      return record;
    };
  }
  std::uint64_t n = 0;
  {
    ProgressBar bar("importing");
    n = retrieval::import_faiss(options.input, options.output, how, bar.progress());
  }
  write_output(fmt::format("{} vectors in {} ({})\n", n, options.output,
                           bytes_text(std::filesystem::file_size(options.output))));
}

}  // namespace

void add_import(CommandLine& line) {
  Command command = line.command("import", "Make an index of the vectors of a FAISS file");
  const auto options = std::make_shared<Options>();
  command
      .option("input", options->input,
              "Flat index that FAISS has written: IndexFlatIP or IndexFlatL2")
      .type("FILE")
      .required();
  command.option("-o,--output", options->output, "Index to make").type("FILE").required();
  command
      .option("--records", options->records,
              "JSON lines with the text and the facts of each vector, in their order")
      .type("FILE");
  add_store_option(command, options->storage);
  add_embedder_options(command, options->embedder, "--embedder");
  command.runs([options] { run(*options); });
}

}  // namespace hearth::cli
