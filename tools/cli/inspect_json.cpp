#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "gguf/violation.h"
#include "tools/cli/inspect_output.h"

namespace hearth::cli {
namespace {

using Json = nlohmann::ordered_json;
using gguf::Value;
using gguf::ValueType;

// Longer arrays are shortened unless everything is asked for.
constexpr std::uint64_t kShownElements = 64;

void print(std::FILE* out, const Json& json) {
  // Names and pieces of a vocabulary may be any bytes; JSON must be UTF-8.
  fmt::print(out, "{}\n", json.dump(2, ' ', false, Json::error_handler_t::replace));
}

Json value_json(const Value& value) {
  if (value.is_array()) {
    Json array = Json::array();
    for (const Value& element : value.as_values()) array.push_back(value_json(element));
    return array;
  }
  switch (value.type()) {
    case ValueType::boolean:
      return value.as_bool();
    case ValueType::string:
      return value.as_string();
    case ValueType::f32:
      return static_cast<float>(value.as_float());
    case ValueType::f64:
      return value.as_float();
    case ValueType::u64:
      return value.as_uint();
    default:
      return value.as_int();
  }
}

// {"type", "value"}; a long array has "count" and its first elements as "head" instead.
Json entry_json(const Value& value, bool full) {
  Json json = {{"type", gguf::type_name(value.type())}};
  if (!value.is_array()) {
    json["value"] = value_json(value);
    return json;
  }
  json["element_type"] = gguf::type_name(value.element_type());
  json["count"] = value.count();
  if (full || value.count() <= kShownElements) {
    json["value"] = value_json(value);
  } else {
    Json head = Json::array();
    for (const Value& element : value.as_values(kShownElements))
      head.push_back(value_json(element));
    json["head"] = std::move(head);
  }
  return json;
}

Json tensor_json(const gguf::Tensor& tensor) {
  Json shape = Json::array();
  for (std::uint32_t d = tensor.n_dims; d-- > 0;) shape.push_back(tensor.dims[d]);
  return {{"name", tensor.name},         {"type", quant_type_info(tensor.type).name},
          {"shape", std::move(shape)},  // slowest dimension first
          {"bytes", tensor.data.size()}, {"part", tensor.part},
          {"offset", tensor.offset}};
}

void add_summary(Json& json, const gguf::Reader& reader) {
  const Inspection inspection = inspect(reader);
  json["version"] = reader.version();
  json["alignment"] = reader.alignment();
  json["file_bytes"] = reader.file_bytes();
  json["parts"] = reader.n_parts();
  json["architecture"] = inspection.architecture;
  json["supported"] = inspection.supported;
  json["name"] = inspection.name;
  json["parameters"] = inspection.parameters;
  json["tensor_bytes"] = inspection.tensor_bytes;
  json["mix"] = inspection.mix;
  json["bits_per_weight"] = inspection.bits_per_weight;
  Json types = Json::array();
  for (const TypeTotal& total : inspection.types) {
    types.push_back({{"type", quant_type_info(total.type).name},
                     {"tensors", total.tensors},
                     {"parameters", total.parameters},
                     {"bytes", total.bytes}});
  }
  json["types"] = std::move(types);
  json["chat_template_bytes"] = inspection.template_bytes;
  if (!inspection.vocabulary) return;
  const VocabularySummary& vocabulary = *inspection.vocabulary;
  Json ends = Json::array();
  for (const SpecialToken& token : vocabulary.end_of_generation)
    ends.push_back({{"id", token.id}, {"text", token.text}});
  json["vocabulary"] = {{"model", vocabulary.model},    {"pre", vocabulary.pre},
                        {"kind", vocabulary.kind},      {"tokens", vocabulary.tokens},
                        {"merges", vocabulary.merges},  {"end_of_generation", std::move(ends)},
                        {"problem", vocabulary.problem}};
}

}  // namespace

void print_json(std::FILE* out, const gguf::Reader& reader, const InspectView& view) {
  Json json = {{"file", reader.name()}};
  if (view.summary) add_summary(json, reader);
  if (view.metadata) {
    Json metadata = Json::object();
    for (const gguf::Entry& entry : reader.metadata()) {
      if (name_matches(entry.key, view.pattern))
        metadata[std::string(entry.key)] = entry_json(entry.value, view.full);
    }
    json["metadata"] = std::move(metadata);
  }
  if (view.tensors) {
    Json tensors = Json::array();
    for (const gguf::Tensor& tensor : reader.tensors()) {
      if (name_matches(tensor.name, view.pattern)) tensors.push_back(tensor_json(tensor));
    }
    json["tensors"] = std::move(tensors);
  }
  print(out, json);
}

void print_check_json(std::FILE* out, const std::string& name, const gguf::CheckReport& report) {
  Json findings = Json::array();
  for (const gguf::Finding& finding : report.findings) {
    const gguf::RuleInfo& rule = gguf::rule_info(finding.rule);
    findings.push_back({{"file", finding.file},
                        {"offset", finding.offset},
                        {"rule", rule.name},
                        {"harmless", rule.harmless},
                        {"what", finding.what},
                        {"expected", finding.expected},
                        {"got", finding.got}});
  }
  print(out, {{"file", name},
              {"ok", report.ok()},
              {"total", report.total},
              {"violations", std::move(findings)}});
}

}  // namespace hearth::cli
