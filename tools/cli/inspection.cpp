#include "tools/cli/inspection.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/error.h"
#include "engine/model/families.h"
#include "engine/quantize/mix.h"
#include "gguf/keys.h"
#include "gguf/violation.h"
#include "tokenizer/vocab_gguf.h"

namespace hearth::cli {
namespace {

using gguf::Value;
using gguf::ValueType;

std::string text_of(const gguf::Reader& reader, std::string_view key) {
  const Value* value = reader.find(key);
  return value && value->type() == ValueType::string ? std::string(value->as_string())
                                                     : std::string();
}

std::uint64_t count_of(const gguf::Reader& reader, std::string_view key) {
  const Value* value = reader.find(key);
  return value && value->is_array() ? value->count() : 0;
}

const char* kind_text(TokenizerKind kind) {
  switch (kind) {
    case TokenizerKind::sentencepiece:
      return "sentencepiece";
    case TokenizerKind::unigram:
      return "sentencepiece unigram";
    case TokenizerKind::bpe:
      return "byte-level BPE";
    case TokenizerKind::wordpiece:
      return "WordPiece";
  }
  return "";
}

VocabularySummary summarize_vocabulary(const gguf::Reader& reader) {
  VocabularySummary summary;
  summary.model = text_of(reader, gguf::keys::kTokenizerModel);
  summary.pre = text_of(reader, "tokenizer.ggml.pre");
  summary.tokens = count_of(reader, gguf::keys::kTokens);
  summary.merges = count_of(reader, gguf::keys::kMerges);
  try {
    const Vocab vocab = vocab_from_gguf(reader);
    summary.kind = kind_text(vocab.kind);
    for (const TokenId id : vocab.end_of_generation)
      summary.end_of_generation.push_back({id, vocab.tokens[static_cast<std::size_t>(id)]});
  } catch (const Error& error) {
    summary.problem = error.parts().what;
  }
  return summary;
}

std::string mix_name(const gguf::Reader& reader) {
  const Value* value = reader.find("general.file_type");
  if (!value || value->is_array()) return {};
  for (const Mix& mix : all_mixes()) {
    if (mix.file_type == value->as_float()) return std::string(mix.name);
  }
  return {};
}

std::vector<TypeTotal> totals_per_type(std::span<const gguf::Tensor> tensors) {
  std::map<QuantType, TypeTotal> totals;
  for (const gguf::Tensor& tensor : tensors) {
    TypeTotal& total = totals[tensor.type];
    total.type = tensor.type;
    total.tensors += 1;
    total.parameters += tensor.elements();
    total.bytes += tensor.data.size();
  }
  std::vector<TypeTotal> sorted;
  for (const auto& [type, total] : totals) sorted.push_back(total);
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const TypeTotal& a, const TypeTotal& b) { return a.bytes > b.bytes; });
  return sorted;
}

std::string array_text(const Value& value, std::size_t max_elements, std::size_t max_bytes) {
  std::string text = "[";
  const auto shown = value.as_values(max_elements);
  for (std::size_t i = 0; i < shown.size(); ++i) {
    if (i > 0) text += ", ";
    text += value_text(shown[i], max_elements, max_bytes);
  }
  if (value.count() > shown.size())
    text += fmt::format("{}… {} in all", shown.empty() ? "" : ", ", value.count());
  return text + "]";
}

}  // namespace

Inspection inspect(const gguf::Reader& reader) {
  Inspection inspection;
  inspection.architecture = text_of(reader, gguf::keys::kArchitecture);
  inspection.supported = find_family(inspection.architecture) != nullptr;
  inspection.name = text_of(reader, "general.name");
  inspection.mix = mix_name(reader);
  inspection.types = totals_per_type(reader.tensors());
  for (const TypeTotal& total : inspection.types) {
    inspection.parameters += total.parameters;
    inspection.tensor_bytes += total.bytes;
  }
  if (inspection.parameters > 0) {
    inspection.bits_per_weight = 8.0 * static_cast<double>(inspection.tensor_bytes) /
                                 static_cast<double>(inspection.parameters);
  }
  if (reader.find(gguf::keys::kTokenizerModel))
    inspection.vocabulary = summarize_vocabulary(reader);
  inspection.template_bytes = text_of(reader, "tokenizer.chat_template").size();
  return inspection;
}

std::string value_text(const Value& value, std::size_t max_elements, std::size_t max_bytes) {
  if (value.is_array()) return array_text(value, max_elements, max_bytes);
  if (value.type() == ValueType::boolean) return value.as_bool() ? "true" : "false";
  if (value.type() != ValueType::string) return value.number_text();
  const std::string_view text = value.as_string();
  std::string shown = gguf::quoted(text, max_bytes, '"');
  if (text.size() > max_bytes) shown += fmt::format(" ({} bytes)", text.size());
  return shown;
}

bool name_matches(std::string_view name, std::string_view pattern) {
  if (pattern.find('*') == std::string_view::npos)
    return name.find(pattern) != std::string_view::npos;
  // The last * seen can always take more text when a later piece does not fit.
  constexpr std::size_t kNone = std::string_view::npos;
  std::size_t n = 0;
  std::size_t p = 0;
  std::size_t star = kNone;
  std::size_t taken = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      taken = n;
    } else if (p < pattern.size() && pattern[p] == name[n]) {
      ++p;
      ++n;
    } else if (star != kNone) {
      p = star + 1;
      n = ++taken;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::string shape_text(const gguf::Tensor& tensor) {
  if (tensor.n_dims == 0) return "scalar";
  std::string text;
  for (std::uint32_t d = tensor.n_dims; d-- > 0;)
    text += fmt::format("{}{}", tensor.dims[d], d > 0 ? " x " : "");
  return text;
}

}  // namespace hearth::cli
