// What `hearth inspect` tells about a model, as data: gathered once, printed as text or JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gguf/reader.h"

namespace hearth::cli {

/// The tensors of one type together.
struct TypeTotal {
  QuantType type;
  std::uint64_t tensors = 0;
  std::uint64_t parameters = 0;
  std::uint64_t bytes = 0;
};

struct SpecialToken {
  std::int32_t id;
  std::string text;
};

struct VocabularySummary {
  std::string model;  // tokenizer.ggml.model
  std::string pre;    // tokenizer.ggml.pre; empty if absent
  std::uint64_t tokens = 0;
  std::uint64_t merges = 0;
  std::string kind;                             // "byte-level BPE" …; empty if it cannot be used
  std::string problem;                          // why not; empty if it can
  std::vector<SpecialToken> end_of_generation;  // after which an answer is over
};

struct Inspection {
  std::string architecture;  // empty if the file has none
  bool supported = false;    // Hearth can run models of this architecture
  std::string name;
  std::uint64_t parameters = 0;
  std::uint64_t tensor_bytes = 0;
  std::string mix;               // name of general.file_type: "Q4_K_M"; empty if it says nothing
  double bits_per_weight = 0;    // 0 without tensors
  std::vector<TypeTotal> types;  // most bytes first
  std::optional<VocabularySummary> vocabulary;
  std::uint64_t template_bytes = 0;  // of tokenizer.chat_template
};

Inspection inspect(const gguf::Reader& reader);

/// `value` in one line: numbers and bools as they are, strings in quotes with escapes, arrays in
/// brackets. At most `max_elements` of an array and `max_bytes` of a string; what is left out is
/// counted.
std::string value_text(const gguf::Value& value, std::size_t max_elements, std::size_t max_bytes);

/// Whether `name` fits `pattern`, in which * stands for any text. A pattern without * matches
/// anywhere in the name.
bool name_matches(std::string_view name, std::string_view pattern);

/// "4096 x 32000": slowest dimension first.
std::string shape_text(const gguf::Tensor& tensor);

}  // namespace hearth::cli
