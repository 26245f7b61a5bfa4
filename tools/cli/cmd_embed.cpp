// hearth embed: vectors of texts, as JSON or as NumPy's array file.
#include <fmt/format.h>

#include <cstdint>
#include <filesystem>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/output_file.h"
#include "base/utf8.h"
#include "tools/cli/command_line.h"
#include "tools/cli/commands.h"
#include "tools/cli/embedder_options.h"
#include "tools/cli/model_option.h"
#include "tools/cli/npy.h"
#include "tools/cli/progress_bar.h"
#include "tools/cli/terminal.h"
#include "tools/cli/text_input.h"

namespace hearth::cli {
namespace {

struct Options {
  EmbedderChoice embedder;
  std::vector<std::string> texts;
  std::string file;  // of lines
  std::string output;
  TextRole role = TextRole::plain;
};

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    lines.emplace_back(text.substr(begin, end - begin));
    if (lines.back().ends_with('\r')) lines.back().pop_back();
    begin = end + 1;
  }
  return lines;
}

std::vector<std::string> texts_of(const Options& options) {
  const bool are_lines = options.texts.empty();
  const std::string name = options.file.empty() ? "stdin" : options.file;
  std::vector<std::string> texts = options.texts;
  if (are_lines) {
    const std::string text = read_text({.argument = {}, .file = options.file});
    texts = lines_of(utf8::without_mark(text));
  }
  if (texts.empty()) {
    throw Error(Error::Parts{.where = name,
                             .what = "there is no text to embed",
                             .expected = "a text per line",
                             .got = "nothing"});
  }
  for (std::size_t i = 0; i < texts.size(); ++i) {
    check_utf8(texts[i],
               are_lines ? fmt::format("{}:{}", name, i + 1) : fmt::format("text {}", i + 1));
  }
  return texts;
}

void append_row(std::string& out, std::span<const float> values) {
  fmt::format_to(std::back_inserter(out), "[{}]", fmt::join(values, ","));
}

/// One vector, or with Pooling::none a list of one per token.
void append_embedding(std::string& out, const Embedding& e, std::size_t width, bool per_token) {
  if (!per_token) return append_row(out, e.values);
  out += '[';
  for (std::size_t first = 0; first < e.values.size(); first += width) {
    if (first > 0) out += ',';
    append_row(out, std::span(e.values).subspan(first, width));
  }
  out += ']';
}

std::string as_json(const std::vector<Embedding>& embeddings, const Embedder& embedder,
                    const std::string& model) {
  nlohmann::ordered_json facts;
  facts["model"] = utf8::sanitize(std::filesystem::path(model).filename().string());
  facts["dimension"] = embedder.n_embd();
  facts["pooling"] = pooling_name(embedder.pooling());
  facts["normalized"] = embedder.normalizes();
  facts["tokens"] = nlohmann::ordered_json::array();
  facts["truncated"] = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < embeddings.size(); ++i) {
    const Embedding& e = embeddings[i];
    facts["tokens"].push_back(e.n_tokens);
    if (!e.is_truncated()) continue;
    facts["truncated"].push_back({{"text", i}, {"tokens", e.n_tokens}, {"kept", e.n_kept}});
  }
  std::string out = facts.dump();
  out.pop_back();
  out += ",\"embeddings\":[";
  for (std::size_t i = 0; i < embeddings.size(); ++i) {
    if (i > 0) out += ",\n";
    append_embedding(out, embeddings[i], static_cast<std::size_t>(embedder.n_embd()),
                     embedder.pooling() == Pooling::none);
  }
  return out + "]}\n";
}

void write_npy(OutputFile& out, const std::vector<Embedding>& embeddings, std::size_t width) {
  std::size_t n = 0;
  for (const Embedding& e : embeddings) n += e.values.size();
  const std::string header = npy_header(n / width, width);
  out.write(std::as_bytes(std::span(header)));
  for (const Embedding& e : embeddings) out.write(std::as_bytes(std::span(e.values)));
}

void report_truncated(const std::vector<Embedding>& embeddings) {
  for (std::size_t i = 0; i < embeddings.size(); ++i) {
    const Embedding& e = embeddings[i];
    if (!e.is_truncated()) continue;
    notice(fmt::format("text {} has {} tokens, of which the first {} count", i + 1, e.n_tokens,
                       e.n_kept));
  }
}

void run(const Options& options) {
  const std::vector<std::string> texts = texts_of(options);
  const gguf::Reader file = open_model(options.embedder.model);
  Embedder embedder = load_embedder(file, options.embedder);
  std::vector<Embedding> embeddings;
  {
    ProgressBar bar("embedding");
    embeddings = embedder.embed(texts, options.role, bar.progress());
  }
  report_truncated(embeddings);
  if (options.output.ends_with(".npy")) {
    OutputFile out(options.output);
    write_npy(out, embeddings, static_cast<std::size_t>(embedder.n_embd()));
    return out.commit();
  }
  const std::string json = as_json(embeddings, embedder, file.name());
  if (options.output.empty()) return write_output(json);
  OutputFile out(options.output);
  out.write(std::as_bytes(std::span(json)));
  out.commit();
}

}  // namespace

void add_embed(CommandLine& line) {
  Command command = line.command("embed", "Vectors of texts, by an embedding model");
  const auto options = std::make_shared<Options>();
  const Option texts =
      command.option("texts", options->texts, "The texts (default: lines of stdin)");
  command.option("-f,--file", options->file, "A text per line of this file")
      .type("FILE")
      .excludes(texts);
  command.option("-o,--output", options->output, "FILE.npy: float32 array; else JSON").type("FILE");
  command.choice(
      "--as", options->role,
      {{"plain", TextRole::plain}, {"query", TextRole::query}, {"document", TextRole::document}},
      "plain, or with the prefix of a query or a document");
  command.flag(
      "--json", [] {}, "JSON, which is the default");
  add_embedder_options(command, options->embedder, "-m,--model");
  LoadOptions& load = options->embedder.options.load;
  add_threads_option(command, load.n_threads);
  command.flag(
      "--reference", [&load] { load.device = LoadOptions::On::reference; }, "slow, and the truth");
  command.runs([options] { run(*options); });
}

}  // namespace hearth::cli
