// hearth search: the pieces of an index that answer a question best.
#include <fmt/format.h>

#include <memory>
#include <string>

#include <nlohmann/json.hpp>

#include "base/utf8.h"
#include "tools/cli/command_line.h"
#include "tools/cli/commands.h"
#include "tools/cli/retrieve.h"
#include "tools/cli/terminal.h"

namespace hearth::cli {
namespace {

struct Options {
  RetrievalOptions retrieval;
  std::string question;
  bool json = false;
};

/// The first words of a text, on one line.
std::string beginning(const std::string& text) {
  constexpr std::size_t kMost = 200;
  std::string line;
  for (const char c : text.substr(0, kMost)) {
    const bool is_space = c == '\n' || c == '\t' || c == ' ';
    if (!is_space || (!line.empty() && line.back() != ' ')) line += is_space ? ' ' : c;
  }
  line.resize(line.size() - utf8::incomplete_tail(line));
  return text.size() > kMost ? line + "…" : line;
}

std::string as_json(const Hits& hits) {
  nlohmann::ordered_json json = {{"confidence", hits.confidence}};
  json["hits"] = nlohmann::ordered_json::array();
  for (const Hit& hit : hits.best) {
    json["hits"].push_back({{"score", hit.score},
                            {"key", utf8::sanitize(hit.key)},
                            {"source", utf8::sanitize(hit.source)},
                            {"heading", utf8::sanitize(hit.heading)},
                            {"line", hit.line},
                            {"text", utf8::sanitize(hit.text)}});
  }
  return json.dump() + "\n";
}

void run(const Options& options) {
  Retriever retriever(options.retrieval);
  const Hits hits = retriever.search(options.question);
  if (options.json) return write_output(as_json(hits));
  if (hits.best.empty()) return notice("nothing was found");
  std::string out;
  for (std::size_t i = 0; i < hits.best.size(); ++i) {
    const Hit& hit = hits.best[i];
    out += fmt::format("{}. {:.4f}  {}:{}{}{}\n   {}\n", i + 1, hit.score, hit.source, hit.line,
                       hit.heading.empty() ? "" : "  ", hit.heading, beginning(hit.text));
  }
  write_output(out);
}

}  // namespace

void add_search(CommandLine& line) {
  Command command = line.command("search", "Find what an index has on a question");
  const auto options = std::make_shared<Options>();
  add_retrieval_options(command, options->retrieval);
  command.option("question", options->question, "What to look for").required();
  command.flag("--json", options->json, "the results as JSON, with their whole texts");
  command.runs([options] { run(*options); });
}

}  // namespace hearth::cli
