#include "gguf/content.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "gguf/keys.h"

namespace hearth::gguf {
namespace {

constexpr std::string_view kTokenIdPrefix = "tokenizer.ggml.";
constexpr std::string_view kTokenIdSuffix = "_token_id";

// Ids that mean "none" in files that write every key.
constexpr std::uint64_t kNoTokenU32 = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint64_t kNoTokenI32 = static_cast<std::uint64_t>(-1);

class ContentCheck {
 public:
  ContentCheck(const Parsed& parsed, std::string_view file, const ViolationFn& sink)
      : parsed_(parsed), file_(file), sink_(sink) {}

  void run() {
    types();
    missing_keys();
    vocabulary();
  }

 private:
  std::size_t index_of(std::string_view key) const {
    const auto at = std::find_if(parsed_.metadata.begin(), parsed_.metadata.end(),
                                 [&](const Entry& entry) { return entry.key == key; });
    return static_cast<std::size_t>(at - parsed_.metadata.begin());
  }

  const Value* find(std::string_view key) const {
    const std::size_t i = index_of(key);
    return i < parsed_.metadata.size() ? &parsed_.metadata[i].value : nullptr;
  }

  void violation(Rule rule, std::uint64_t offset, std::string what, std::string expected,
                 std::string got) {
    sink_({file_, rule, offset, std::move(what), std::move(expected), std::move(got)});
  }

  void types();
  void missing_keys();
  void vocabulary();

  const Parsed& parsed_;
  std::string_view file_;
  const ViolationFn& sink_;
};

void ContentCheck::types() {
  const Value* family = find(keys::kArchitecture);
  const std::string_view arch =
      family && family->type() == ValueType::string ? family->as_string() : std::string_view();
  for (std::size_t i = 0; i < parsed_.metadata.size(); ++i) {
    const auto& [key, value] = parsed_.metadata[i];
    if (key == keys::kAlignment) continue;  // has a rule of its own
    const KeyInfo* info = find_key(key, arch);
    if (!info || matches(info->type, value)) continue;
    const bool engine = info->use == KeyUse::engine;
    violation(engine ? Rule::key_type : Rule::key_info_type, parsed_.metadata_offsets[i],
              fmt::format("metadata key {} has the wrong type", quoted(key)),
              std::string(describe(info->type)), value.describe());
  }
}

void ContentCheck::missing_keys() {
  if (!find(keys::kArchitecture))
    violation(Rule::key_missing, 0,
              fmt::format("metadata key '{}' is missing", keys::kArchitecture),
              "the name of the model's family", "nothing");
  const bool quantised = std::any_of(
      parsed_.tensors.begin(), parsed_.tensors.end(),
      [](const Tensor& tensor) { return quant_type_info(tensor.type).block_elements > 1; });
  if (quantised && !find(keys::kQuantizationVersion))
    violation(Rule::key_missing, 0,
              fmt::format("metadata key '{}' is missing", keys::kQuantizationVersion),
              "the version of the quantised blocks", "nothing");
}

void ContentCheck::vocabulary() {
  const Value* tokens = find(keys::kTokens);
  if (!tokens || !tokens->is_array()) return;
  for (const std::string_view key : {keys::kScores, keys::kTokenTypes}) {
    const std::size_t i = index_of(key);
    if (i == parsed_.metadata.size()) continue;
    const Value& value = parsed_.metadata[i].value;
    if (value.is_array() && value.count() != tokens->count())
      violation(Rule::tokenizer_lengths, parsed_.metadata_offsets[i],
                fmt::format("'{}' does not go with '{}'", key, keys::kTokens),
                fmt::format("{} elements, one per token", tokens->count()),
                fmt::format("{}", value.count()));
  }
  for (std::size_t i = 0; i < parsed_.metadata.size(); ++i) {
    const auto& [key, value] = parsed_.metadata[i];
    if (!key.starts_with(kTokenIdPrefix) || !key.ends_with(kTokenIdSuffix)) continue;
    if (!matches(KeyType::integer, value)) continue;  // reported by its type
    const std::uint64_t id = value.as_bits();
    if (id < tokens->count() || id == kNoTokenU32 || id == kNoTokenI32) continue;
    violation(Rule::token_id, parsed_.metadata_offsets[i],
              fmt::format("{} is no token of the vocabulary", quoted(key)),
              fmt::format("an id below {}", tokens->count()), value.describe());
  }
}

}  // namespace

void check_content(const Parsed& parsed, std::string_view file, const ViolationFn& sink) {
  ContentCheck(parsed, file, sink).run();
}

}  // namespace hearth::gguf
