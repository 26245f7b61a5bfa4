// hearth search: the pieces of an index that answer a question best.
#include <fmt/format.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/utf8.h"
#include "engine/retrieval/words.h"
#include "tools/cli/command_line.h"
#include "tools/cli/commands.h"
#include "tools/cli/retrieve.h"
#include "tools/cli/snippet.h"
#include "tools/cli/terminal.h"

namespace hearth::cli {
namespace {

struct Options {
  RetrievalOptions retrieval;
  std::string question;
  bool json = false;
};

/// What shows why a text was found. The path of its headings, which stands above it, is left out.
std::string shown_part(const Hit& hit, const std::map<std::string, double>& words) {
  constexpr std::size_t kMost = 200;
  std::string_view text = hit.text;
  if (text.starts_with(hit.heading)) text.remove_prefix(hit.heading.size());
  const auto worth = [&](std::string_view part) {
    std::set<std::string> found;
    double sum = 0.0;
    for (std::string& term : retrieval::terms_of(part)) {
      const auto word = words.find(term);
      if (word != words.end() && found.insert(std::move(term)).second) sum += word->second;
    }
    return sum;
  };
  return one_line(snippet(text, kMost, worth));
}

std::string as_json(const Hits& hits) {
  nlohmann::ordered_json json = {{"confidence", hits.confidence},
                                 {"question_truncated", hits.is_question_truncated}};
  json["hits"] = nlohmann::ordered_json::array();
  for (const Hit& hit : hits.best) {
    nlohmann::ordered_json facts = nlohmann::ordered_json::object();
    for (const auto& [name, value] : hit.facts) {
      facts[utf8::sanitize(name)] = utf8::sanitize(value);
    }
    json["hits"].push_back({{"score", hit.score},
                            {"key", utf8::sanitize(hit.key)},
                            {"source", utf8::sanitize(hit.source)},
                            {"heading", utf8::sanitize(hit.heading)},
                            {"line", hit.line},
                            {"facts", facts},
                            {"text", utf8::sanitize(hit.text)}});
  }
  return json.dump() + "\n";
}

/// Why nothing was found, as far as that can be known.
std::string nothing_found(const Retriever& retriever, const Options& options) {
  const std::vector<std::string>& where = options.retrieval.where;
  if (retriever.index().size() == 0) return "nothing was found: the index is empty";
  if (retrieval::terms_of(options.question).empty()) {
    return "nothing was found: the question has no words";
  }
  if (where.empty()) return "nothing was found";
  return fmt::format("nothing was found where {}",
                     one_line(fmt::format("{}", fmt::join(where, ", "))));
}

void run(const Options& options) {
  Retriever retriever(options.retrieval);
  const Hits hits = retriever.search(options.question);
  if (options.json) return write_output(as_json(hits));
  if (hits.best.empty()) return notice(nothing_found(retriever, options));
  const std::map<std::string, double> words = retriever.index().word_weights(options.question);
  std::string out;
  for (std::size_t i = 0; i < hits.best.size(); ++i) {
    const Hit& hit = hits.best[i];
    out += fmt::format("{}. {:.4f}  {}:{}{}{}\n   {}\n", i + 1, hit.score, one_line(hit.source),
                       hit.line, hit.heading.empty() ? "" : "  ", one_line(hit.heading),
                       shown_part(hit, words));
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
