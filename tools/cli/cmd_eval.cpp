// hearth eval: how often an index finds what it should.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/utf8.h"
#include "tools/cli/command_line.h"
#include "tools/cli/commands.h"
#include "tools/cli/progress_bar.h"
#include "tools/cli/retrieve.h"
#include "tools/cli/terminal.h"
#include "tools/cli/text_input.h"

namespace hearth::cli {
namespace {

struct Options {
  RetrievalOptions retrieval;
  std::string questions;
  bool json = false;
  bool misses = false;
};

/// A question and what a right piece of text must be; empty parts do not count.
struct Case {
  std::string question, source, heading, contains;

  bool is_right(const Hit& hit) const {
    return (source.empty() || hit.source == source) &&
           hit.heading.find(heading) != std::string::npos &&
           hit.text.find(contains) != std::string::npos;
  }
};

Case parse_case(const std::string& line, const std::string& where) {
  const auto bad = [&](const std::string& got) -> Error {
    return Error(Error::Parts{.where = where,
                              .what = "is not a question with what answers it",
                              .expected = R"({"question": "…", and at least one of "source", )"
                                          R"("heading", "contains": "…"})",
                              .got = got});
  };
  const auto json = nlohmann::json::parse(line, nullptr, false);
  if (!json.is_object()) throw bad("no JSON object");
  const auto text = [&](const char* name) {
    const auto found = json.find(name);
    if (found == json.end()) return std::string();
    if (!found->is_string()) throw bad(std::string(name) + " is no text");
    return found->get<std::string>();
  };
  Case made{text("question"), text("source"), text("heading"), text("contains")};
  const bool says_what = !made.source.empty() || !made.heading.empty() || !made.contains.empty();
  if (made.question.empty() || !says_what) throw bad(line.substr(0, 80));
  return made;
}

std::vector<Case> read_cases(const std::string& path) {
  const std::string text = read_text({.argument = {}, .file = path});
  std::vector<Case> cases;
  int number = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string line = text.substr(begin, end - begin);
    ++number;
    if (line.find_first_not_of(" \t\r") != std::string::npos) {
      cases.push_back(parse_case(line, fmt::format("{}:{}", path, number)));
    }
    begin = end + 1;
  }
  if (!cases.empty()) return cases;
  throw Error(Error::Parts{
      .where = path, .what = "has no questions", .expected = "one per line", .got = {}});
}

void run(const Options& options) {
  const std::vector<Case> cases = read_cases(options.questions);
  Retriever retriever(options.retrieval);
  std::size_t first = 0, found = 0;
  double reciprocal = 0.0;
  std::string missed;
  ProgressBar bar("asking");
  for (std::size_t i = 0; i < cases.size(); ++i) {
    report(bar.progress(), i, cases.size());
    const Hits hits = retriever.search(cases[i].question);
    const auto right = std::find_if(hits.best.begin(), hits.best.end(),
                                    [&](const Hit& hit) { return cases[i].is_right(hit); });
    if (right == hits.best.end()) {
      missed += fmt::format("missed: {}\n", utf8::sanitize(cases[i].question));
      continue;
    }
    first += right == hits.best.begin();
    ++found;
    reciprocal += 1.0 / static_cast<double>(right - hits.best.begin() + 1);
  }
  bar.clear();
  const auto n = static_cast<double>(cases.size());
  const double at_1 = static_cast<double>(first) / n, at_k = static_cast<double>(found) / n;
  const int k = options.retrieval.k;
  if (options.json) {
    const nlohmann::ordered_json json = {{"questions", cases.size()},
                                         {"k", k},
                                         {"hit_at_1", at_1},
                                         {"hit_at_k", at_k},
                                         {"mrr", reciprocal / n}};
    return write_output(json.dump() + "\n");
  }
  write_output(fmt::format("{}{} questions: hit@1 {:.3f}, hit@{} {:.3f}, MRR {:.3f}\n",
                           options.misses ? missed : "", cases.size(), at_1, k, at_k,
                           reciprocal / n));
}

}  // namespace

void add_eval(CommandLine& line) {
  Command command = line.command("eval", "How often an index finds what answers a question");
  const auto options = std::make_shared<Options>();
  add_retrieval_options(command, options->retrieval);
  command
      .option("questions", options->questions,
              R"(JSON lines: {"question": …, "source": …, "heading": …, "contains": …})")
      .required()
      .type("FILE");
  command.flag("--misses", options->misses, "list the questions that failed");
  command.flag("--json", options->json, "the figures as JSON");
  command.runs([options] { run(*options); });
}

}  // namespace hearth::cli
