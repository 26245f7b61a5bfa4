#include "tools/cli/retrieve.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "tools/cli/command_line.h"
#include "tools/cli/terminal.h"
#include "tools/cli/text_input.h"

namespace hearth::cli {
namespace {

using retrieval::Condition;

/// What stands behind "in": values with commas between them, or a JSON array of texts, in which
/// they may have commas. None if it is neither.
std::vector<std::string> parse_values(const std::string& text) {
  std::vector<std::string> values;
  if (text.empty()) return values;
  if (text.starts_with('[')) {
    const auto json = nlohmann::json::parse(text, nullptr, false);
    const bool is_texts =
        json.is_array() &&
        std::all_of(json.begin(), json.end(), [](const auto& value) { return value.is_string(); });
    return is_texts ? json.get<std::vector<std::string>>() : values;
  }
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::size_t first = std::min(text.find_first_not_of(' ', begin), end);
    values.push_back(text.substr(first, end - first));
    begin = end + 1;
  }
  return values;
}

Condition parse_condition(const std::string& text) {
  constexpr std::string_view kIn = " in ";
  struct Sign {
    std::string_view text;
    Condition::Is is;
  };
  constexpr Sign kSigns[] = {{"!=", Condition::Is::other},
                             {"^=", Condition::Is::prefix},
                             {"=", Condition::Is::equal},
                             {"<", Condition::Is::less},
                             {">", Condition::Is::more}};
  const std::size_t at = text.find_first_of("!^=<>");
  const std::size_t in = text.find(kIn);
  if (in < at && in > 0) {
    Condition condition{.name = text.substr(0, in), .is = Condition::Is::in};
    condition.values = parse_values(text.substr(in + kIn.size()));
    if (!condition.values.empty()) return condition;
  }
  for (const Sign& sign : kSigns) {
    if (at == 0 || at == std::string::npos || !text.substr(at).starts_with(sign.text)) continue;
    return {.name = text.substr(0, at), .is = sign.is, .value = text.substr(at + sign.text.size())};
  }
  throw Error(Error::Parts{.where = "--where",
                           .what = "this is not a condition",
                           .expected =
                               "NAME=VALUE, NAME!=VALUE, NAME^=PREFIX, NAME<VALUE, NAME>VALUE, "
                               "NAME in VALUE,VALUE or NAME in [\"VALUE\", \"VALUE\"]",
                           .got = "\"" + text + "\""});
}

Hit hit_of(const retrieval::Index& index, const retrieval::Scored& one) {
  const retrieval::RecordView record = index.record(one.number);
  Hit hit{.score = static_cast<double>(one.score),
          .key = std::string(record.key),
          .text = std::string(record.text),
          .source = std::string(record.fact("source")),
          .heading = std::string(record.fact("heading"))};
  for (const auto& [name, value] : record.facts) hit.facts.emplace_back(name, value);
  const std::string_view line = record.fact("line");
  std::from_chars(line.data(), line.data() + line.size(), hit.line);
  return hit;
}

/// What a score says of the angle between vectors of length 1: |x - y|^2 is 2 - 2 x.y.
double cosine_of(const retrieval::Index& index, float score) {
  const auto exact = static_cast<double>(score);
  return index.settings().layout.metric == retrieval::Metric::l2 ? 1.0 + exact / 2 : exact;
}

}  // namespace

void add_retrieval_options(Command& command, RetrievalOptions& options, const std::string& option) {
  const Option index =
      command.option(option, options.index, "Index that `hearth index` made").type("FILE");
  if (!option.starts_with('-')) index.required();
  command.option("-k", options.k, "how many pieces of text to find").range(1, 1000).shows_default();
  const Option words = command.flag("--words", options.words_only, "by words alone");
  command.flag("--vectors", options.vectors_only, "by vectors alone").excludes(words);
  command
      .option("--where", options.where,
              "only where a fact is so: source=FILE, source^=FOLDER/, heading!=TEXT, "
              "line<100, 'source in FILE,FILE'")
      .one_at_a_time()
      .type("CONDITION");
  add_embedder_options(command, options.embedder, "--embedder");
}

void check_state(const retrieval::Index& index) {
  if (!index.is_fallback()) return;
  if (index.size() == 0) {
    throw Error(
        Error::Parts{.where = index.name(),
                     .what = "the newest commit is damaged, and before it the index was empty",
                     .expected = "that `hearth index` brings it up to date first",
                     .got = {}});
  }
  notice(
      fmt::format("{}: the newest commit is damaged; this is the state before it; `hearth "
                  "index` brings it up to date",
                  index.name()));
}

std::string Hit::place() const {
  return fmt::format("{}:{}{}{}", source, line, heading.empty() ? "" : ", ", heading);
}

Retriever::Retriever(const RetrievalOptions& options)
    : options_(options), index_(std::filesystem::path(options.index)) {
  for (const std::string& text : options_.where) filter_.push_back(parse_condition(text));
  if (!options_.words_only) embedder_ = embedder_for(index_, options_.embedder);
  if (options_.vectors_only && !embedder_) index_.check_embedder("--vectors");
  check_state(index_);
  if (embedder_) usual_.emplace(index_);
}

std::vector<retrieval::Scored> Retriever::ranked(const std::string& question,
                                                 const std::vector<float>& vector) const {
  const auto k = static_cast<std::size_t>(options_.k);
  if (!embedder_) return index_.best_words(question, k, filter_);
  if (options_.vectors_only) return index_.nearest(vector, k, filter_).front();
  return index_.best_fused(question, vector, k, filter_);
}

Hits Retriever::search(const std::string& question) {
  check_utf8(question, "the question");
  const retrieval::EmbeddedText embedded =
      embedder_ ? embedder_->embed_query(question) : retrieval::EmbeddedText();
  const std::vector<float>& vector = embedded.vector;
  Hits hits;
  hits.is_question_truncated = embedded.is_truncated();
  if (hits.is_question_truncated) {
    notice(fmt::format("the question has {} tokens, of which the embedder looks at the first {}",
                       embedded.n_tokens, embedded.n_kept));
  }
  for (const retrieval::Scored& one : ranked(question, vector)) {
    hits.best.push_back(hit_of(index_, one));
  }
  if (embedder_ && index_.size() > 0) {
    const auto nearest = index_.nearest(vector, 1, filter_).front();
    if (!nearest.empty()) {
      hits.confidence = usual_->above(cosine_of(index_, nearest.front().score), vector);
    }
  }
  if (options_.vectors_only) return hits;
  const auto words = index_.best_words(question, 1, filter_);
  double most = 0.0;
  for (const auto& [word, weight] : index_.word_weights(question)) most += weight;
  if (!words.empty() && most > 0.0) {
    const double share = std::min(1.0, static_cast<double>(words.front().score) / most);
    hits.confidence = std::max(hits.confidence, share);
  }
  return hits;
}

}  // namespace hearth::cli
