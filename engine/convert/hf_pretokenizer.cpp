#include "engine/convert/hf_pretokenizer.h"

#include <string>

namespace hearth {
namespace {

using Json = nlohmann::json;

// Patterns are facts of the models: they stand in their tokenizer.json.
#define CONTRACTION "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define AFTER_NUMBERS(symbols) R"(| ?[^\s\p{L}\p{N}]+[)" symbols R"(]*|\s*[\r\n]+|\s+(?!\S)|\s+)"
#define CASED(end)                                                                      \
  R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+)" end \
  R"(|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*)" end

struct CutRow {
  std::string_view steps;  // as described() has them
  std::string_view name;   // a row of tokenizer/pretokenizers.cpp
};
constexpr CutRow kRows[] = {
    {"words", "gpt-2"},
    {"digit words", "smollm"},
    {CONTRACTION R"(|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3})" AFTER_NUMBERS(R"(\r\n)") " bytes",
     "llama-bpe"},
    {CONTRACTION R"(|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N})" AFTER_NUMBERS(R"(\r\n)") " bytes", "qwen2"},
    {CASED("") R"(|\p{N})" AFTER_NUMBERS(R"(\r\n/)") " bytes", "tekken"},
    {CASED(CONTRACTION "?") R"(|\p{N}{1,3})" AFTER_NUMBERS(R"(\r\n/)") " bytes", "gpt-4o"},
};

/// Steps one after the other: a pattern, "digit" for each digit by itself, "words" for GPT-2's
/// pattern, "bytes" for no cut, "?" for anything else.
std::string described(const Json& step) {
  const std::string type = step.is_object() ? step.value("type", "") : "";
  if (type == "Sequence" && step.contains("pretokenizers")) {
    std::string all;
    for (const Json& one : step["pretokenizers"]) {
      if (!all.empty()) all += ' ';
      all += described(one);
    }
    return all;
  }
  if (type == "Digits" && step.value("individual_digits", false)) return "digit";
  if (type == "ByteLevel" && !step.value("add_prefix_space", false)) {
    return step.value("use_regex", true) ? "words" : "bytes";
  }
  const bool is_split = type == "Split" && step.value("behavior", "") == "Isolated" &&
                        !step.value("invert", false) && step.contains("pattern") &&
                        step["pattern"].is_object();
  return is_split ? step["pattern"].value("Regex", "?") : "?";
}

}  // namespace

std::string_view gguf_pre_tokenizer(const Json& pre_tokenizer) {
  const std::string steps = described(pre_tokenizer);
  for (const CutRow& row : kRows) {
    if (row.steps == steps) return row.name;
  }
  return {};
}

}  // namespace hearth
