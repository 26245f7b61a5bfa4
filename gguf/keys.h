// The metadata keys that GGUF files use: one row each, with type and meaning. From the format
// document and from what public tools write. `hearth inspect --check` holds files against the
// types; keys of nobody's knowledge are allowed.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "gguf/value.h"

namespace hearth::gguf {

/// What a key may hold. Where files in the wild differ in width or sign, all integers are accepted;
/// where readers take the bytes as they are (scores, token types), the exact type is asked for.
enum class KeyType : std::uint8_t {
  text,
  flag,
  integer,
  real,
  u32,
  texts,
  integers,
  reals,
  i32s,
  f32s,
  integer_or_integers,  // one for all layers, or one per layer
  real_or_reals,
  period_or_flags,  // every n-th layer, or one flag per layer
};

/// "an integer", "an array of f32" …
std::string_view describe(KeyType type);

/// Whether `value` is of a type that `type` allows.
bool matches(KeyType type, const Value& value);

/// Who needs the key: without the right type a model cannot run, or it is for people to read.
enum class KeyUse : std::uint8_t { engine, people };

struct KeyInfo {
  std::string_view name;  // "{arch}" stands for general.architecture, "{n}" for one segment
  KeyType type;
  KeyUse use;
  std::string_view meaning;
};

/// Every key, grouped by what it is about.
std::span<const KeyInfo> all_keys();

/// The row of `key` in a file of architecture `arch` (empty if it has none), or nullptr.
const KeyInfo* find_key(std::string_view key, std::string_view arch);

/// The key "{arch}.`suffix`" of an architecture: arch_key("llama", "attention.head_count"). It must
/// have a row in the table: an invariant of ours, checked.
std::string arch_key(std::string_view arch, std::string_view suffix);

/// Keys that give the file its shape, and that this folder itself reads.
namespace keys {
inline constexpr std::string_view kArchitecture = "general.architecture";
inline constexpr std::string_view kAlignment = "general.alignment";
inline constexpr std::string_view kQuantizationVersion = "general.quantization_version";
inline constexpr std::string_view kSplitNo = "split.no";
inline constexpr std::string_view kSplitCount = "split.count";
inline constexpr std::string_view kSplitTensors = "split.tensors.count";
inline constexpr std::string_view kTokenizerModel = "tokenizer.ggml.model";
inline constexpr std::string_view kTokens = "tokenizer.ggml.tokens";
inline constexpr std::string_view kScores = "tokenizer.ggml.scores";
inline constexpr std::string_view kTokenTypes = "tokenizer.ggml.token_type";
inline constexpr std::string_view kMerges = "tokenizer.ggml.merges";
}  // namespace keys

}  // namespace hearth::gguf
