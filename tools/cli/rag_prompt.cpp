#include "tools/cli/rag_prompt.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/utf8.h"
#include "tools/cli/command_line.h"
#include "tools/cli/terminal.h"
#include "tools/cli/text_input.h"

namespace hearth::cli {
namespace {

constexpr std::string_view kBuiltIn =
    R"(Answer the question from the sources below, and from nothing else. Name the sources that you
use by their numbers, as in [1]. If they do not say it, answer that the documents do not say it.
Answer in the language of the question.

{% for source in sources %}
[{{ source.number }}] {{ source.source }}{% if source.heading %}, {{ source.heading }}{% endif +%}
{{ source.text }}

{% endfor %}
Question: {{ question }})";

jinja::Template parse(const std::string& file) {
  if (file.empty()) return jinja::Template::parse(kBuiltIn, "built-in template");
  jinja::Template made = jinja::Template::parse(read_text({.argument = {}, .file = file}), file);
  if (made.mentions("question") && made.mentions("sources")) return made;
  throw Error(Error::Parts{.where = file,
                           .what = "leaves the question or the sources out of the prompt",
                           .expected = "a template that speaks of `question` and `sources`",
                           .got = {}});
}

}  // namespace

void add_grounding_options(Command& command, GroundingOptions& options) {
  command
      .option("--rag-template", options.template_file,
              "Jinja template of the prompt, with `question` and `sources`")
      .type("FILE");
  command
      .option("--threshold", options.threshold,
              "below this confidence, 0 to 1, the answer is that the documents do not say it")
      .shows_default();
}

void check_grounding(const GroundingOptions& options) {
  if (options.threshold >= 0.0 && options.threshold <= 1.0) return;
  throw Error(Error::Parts{.where = "--threshold",
                           .what = "is no confidence",
                           .expected = "a number from 0 to 1",
                           .got = fmt::format("{}", options.threshold)});
}

RagPrompt::RagPrompt(const std::string& template_file) : template_(parse(template_file)) {}

std::string RagPrompt::render(const std::string& question, std::span<const Hit> sources) const {
  nlohmann::ordered_json context;
  context["question"] = utf8::sanitize(question);
  context["sources"] = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const Hit& hit = sources[i];
    context["sources"].push_back({{"number", i + 1},
                                  {"source", utf8::sanitize(hit.source)},
                                  {"heading", utf8::sanitize(hit.heading)},
                                  {"line", hit.line},
                                  {"text", utf8::sanitize(hit.text)},
                                  {"score", hit.score}});
  }
  return template_.render(context);
}

std::string source_lines(std::span<const Hit> sources) {
  std::string lines;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    lines +=
        fmt::format("[{}] {} ({:.4f})\n", i + 1, one_line(sources[i].place()), sources[i].score);
  }
  return lines;
}

}  // namespace hearth::cli
