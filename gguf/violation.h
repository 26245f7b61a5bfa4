// What can be wrong with a GGUF file: one row per rule, and one record per place where a file
// breaks one.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace hearth::gguf {

enum class Rule : std::uint8_t {
  magic,
  byte_order,
  version,
  truncated,
  count,
  string_length,
  key_length,
  key_utf8,
  key_ascii,
  key_duplicate,
  key_type,
  key_info_type,
  key_missing,
  value_type,
  value_bool,
  value_utf8,
  array_depth,
  alignment,
  alignment_multiple,
  tokenizer_lengths,
  token_id,
  tensor_name_length,
  tensor_name_utf8,
  tensor_name_duplicate,
  tensor_dims,
  tensor_type,
  tensor_row,
  tensor_size,
  tensor_offset,
  tensor_bounds,
  tensor_overlap,
  split_part,
  split_missing,
  split_count,
};

struct RuleInfo {
  Rule rule;
  bool harmless;             // a file that breaks it can be used all the same: Reader lets it pass
  std::string_view name;     // "tensor-overlap": what --check prints
  std::string_view summary;  // what a good file does
};

/// Every rule, in the order of the enumeration.
std::span<const RuleInfo> all_rules();
const RuleInfo& rule_info(Rule rule);

struct Violation {
  std::string_view file;  // lives as long as what was parsed
  Rule rule;
  std::uint64_t offset;  // of the field concerned, from the start of its file
  std::string what;      // a clause: "tensor 'a' overlaps tensor 'b'"
  std::string expected;  // may be empty
  std::string got;       // may be empty
};

/// Receives violations as they are found. May throw, to stop at the first.
using ViolationFn = std::function<void(const Violation&)>;

/// `text` from a file, made safe to print: backslashes, control characters and malformed UTF-8
/// escaped, cut after `max_bytes` with "…".
std::string printable(std::string_view text, std::size_t max_bytes = 80);

/// printable() between two of `quote`, which is escaped inside.
std::string quoted(std::string_view text, std::size_t max_bytes = 80, char quote = '\'');

}  // namespace hearth::gguf
