// hearth index: a folder of documents as one file that can be searched.
#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <string>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/utf8.h"
#include "engine/retrieval/folder.h"
#include "tools/cli/command_line.h"
#include "tools/cli/commands.h"
#include "tools/cli/index_embedder.h"
#include "tools/cli/progress_bar.h"
#include "tools/cli/store_option.h"
#include "tools/cli/terminal.h"
#include "tools/cli/units.h"

namespace hearth::cli {
namespace {

using retrieval::FolderReport;

struct Options {
  std::string root;
  std::string output;
  EmbedderChoice embedder;
  retrieval::FolderOptions folder;
  bool json = false;
};

double percent(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

std::string as_text(const FolderReport& r, const Options& options) {
  constexpr std::size_t kShown = 5;
  std::string text = fmt::format(
      "{} documents: {} new, {} changed, {} unchanged, {} gone\n{} chunks in {} ({}), {} of them "
      "made now\n",
      r.files, r.fresh, r.changed, r.unchanged, r.gone, r.chunks, options.output,
      bytes_text(std::filesystem::file_size(options.output)), r.chunks_made);
  if (!options.embedder.model.empty()) {
    text += fmt::format("{:.1f} % of the new chunks truncated, {:.2f} % of their tokens unknown\n",
                        percent(r.truncated, r.chunks_made), percent(r.unknown_tokens, r.tokens));
  }
  text += fmt::format("{} near-duplicates\n", r.near_duplicates.size());
  for (std::size_t i = 0; i < std::min(kShown, r.near_duplicates.size()); ++i) {
    const auto& [first, second] = r.near_duplicates[i];
    text += fmt::format("  {} says nearly what {} says\n", one_line(second), one_line(first));
  }
  for (const std::string& source : r.without_text) {
    text += fmt::format("  {} has no text\n", one_line(source));
  }
  for (const std::string& link : r.links) {
    text += fmt::format("  {} is a link to a folder, which is not followed\n", one_line(link));
  }
  std::string others;
  for (const auto& [ending, n] : r.others) {
    others += fmt::format("{}{} {}", others.empty() ? "" : ", ", n,
                          ending.empty() ? "without an ending" : ending);
  }
  if (!others.empty()) text += fmt::format("  files that are no documents: {}\n", one_line(others));
  for (const std::string& bad : r.bad) text += fmt::format("  left out: {}\n", one_line(bad));
  return text;
}

std::string as_json(const FolderReport& r) {
  nlohmann::ordered_json json = {{"documents", r.files},
                                 {"new", r.fresh},
                                 {"changed", r.changed},
                                 {"unchanged", r.unchanged},
                                 {"gone", r.gone},
                                 {"chunks", r.chunks},
                                 {"chunks_made", r.chunks_made},
                                 {"truncated_percent", percent(r.truncated, r.chunks_made)},
                                 {"unknown_percent", percent(r.unknown_tokens, r.tokens)}};
  json["near_duplicates"] = nlohmann::ordered_json::array();
  for (const auto& pair : r.near_duplicates) {
    json["near_duplicates"].push_back({utf8::sanitize(pair.first), utf8::sanitize(pair.second)});
  }
  json["without_text"] = nlohmann::ordered_json::array();
  for (const std::string& source : r.without_text) {
    json["without_text"].push_back(utf8::sanitize(source));
  }
  json["other_files"] = nlohmann::ordered_json::object();
  for (const auto& [ending, n] : r.others) json["other_files"][utf8::sanitize(ending)] = n;
  json["links"] = nlohmann::ordered_json::array();
  for (const std::string& link : r.links) json["links"].push_back(utf8::sanitize(link));
  json["left_out"] = nlohmann::ordered_json::array();
  for (const std::string& bad : r.bad) json["left_out"].push_back(utf8::sanitize(bad));
  json["was_damaged"] = r.was_damaged;
  json["not_compacted"] = utf8::sanitize(r.not_compacted);
  return json.dump() + "\n";
}

void run(const Options& options) {
  std::unique_ptr<IndexEmbedder> embedder;
  if (!options.embedder.model.empty()) embedder = std::make_unique<IndexEmbedder>(options.embedder);
  FolderReport report;
  try {
    ProgressBar bar("indexing");
    report = retrieval::index_folder(options.output, options.root, embedder.get(), options.folder,
                                     bar.progress());
  } catch (const Cancelled&) {
    throw Error("stopped; documents that are done are kept: the same command goes on from there");
  }
  if (report.was_damaged) {
    notice(fmt::format("{}: the newest commit was damaged; what it had is read again",
                       options.output));
  }
  if (!report.not_compacted.empty()) {
    notice(fmt::format("the index is up to date, but could not be written anew to be smaller: {}",
                       report.not_compacted));
  }
  write_output(options.json ? as_json(report) : as_text(report, options));
}

}  // namespace

void add_index(CommandLine& line) {
  Command command = line.command("index", "Make a folder of Markdown, HTML and text searchable");
  const auto options = std::make_shared<Options>();
  command.option("folder", options->root, "Folder of documents, or one document").required();
  command.option("-o,--output", options->output, "Index to make, or to bring up to date")
      .type("FILE")
      .required();
  retrieval::FolderOptions& folder = options->folder;
  command.option("--chunk", folder.max_tokens, "tokens of a piece of text, at most")
      .range(16, 8192)
      .shows_default();
  command.option("--overlap", folder.overlap_tokens, "tokens that a piece repeats")
      .range(0, 1024)
      .shows_default();
  add_store_option(command, folder.storage);
  command.flag("--keep", folder.keep_others,
               "add to the index: documents that are not in the folder stay in it");
  command.flag("--skip-bad", folder.skip_bad, "leave out what cannot be read, and say so");
  command.flag("--json", options->json, "the report as JSON");
  add_embedder_options(command, options->embedder, "--embedder");
  command.runs([options] { run(*options); });
}

}  // namespace hearth::cli
