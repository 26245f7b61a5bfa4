#include "gguf/violation.h"

#include <fmt/format.h>

#include "base/utf8.h"

namespace hearth::gguf {
namespace {

constexpr bool kFatal = false;
constexpr bool kHarmless = true;

constexpr RuleInfo kRules[] = {
    {Rule::magic, kFatal, "magic", "the file begins with the four bytes GGUF"},
    {Rule::byte_order, kFatal, "byte-order", "numbers are little-endian"},
    {Rule::version, kFatal, "version", "the version is 2 or 3"},
    {Rule::truncated, kFatal, "truncated", "the file holds every field it announces"},
    {Rule::count, kFatal, "count", "a count is no larger than the rest of the file can hold"},
    {Rule::string_length, kFatal, "string-length", "a string ends inside the file"},
    {Rule::key_length, kFatal, "key-length", "a key has 1 to 65535 bytes"},
    {Rule::key_utf8, kFatal, "key-utf8", "a key is UTF-8"},
    {Rule::key_ascii, kHarmless, "key-ascii", "a key is ASCII"},
    {Rule::key_duplicate, kFatal, "key-duplicate", "a key stands once"},
    {Rule::key_type, kFatal, "key-type",
     "a key that the engine reads has a type that fits (gguf/keys.h)"},
    {Rule::key_info_type, kHarmless, "key-info-type",
     "a key for people has a type that fits (gguf/keys.h)"},
    {Rule::key_missing, kHarmless, "key-missing",
     "general.architecture is there, and general.quantization_version if a tensor is quantised"},
    {Rule::value_type, kFatal, "value-type", "a value's type number is 0 to 12"},
    {Rule::value_bool, kFatal, "value-bool", "a bool is 0 or 1"},
    {Rule::value_utf8, kFatal, "value-utf8",
     "a string value is UTF-8, except the pieces of a vocabulary, which may be any bytes"},
    {Rule::array_depth, kFatal, "array-depth", "arrays nest at most 8 deep"},
    {Rule::alignment, kFatal, "alignment", "general.alignment is a u32 and a power of two"},
    {Rule::alignment_multiple, kHarmless, "alignment-multiple",
     "general.alignment is a multiple of 8"},
    {Rule::tokenizer_lengths, kFatal, "tokenizer-lengths",
     "tokens, scores and token types of a vocabulary are equally many"},
    {Rule::token_id, kHarmless, "token-id",
     "the id of a special token is below the number of tokens, or absent"},
    {Rule::tensor_name_length, kFatal, "tensor-name-length", "a tensor's name has 1 to 64 bytes"},
    {Rule::tensor_name_utf8, kFatal, "tensor-name-utf8", "a tensor's name is UTF-8"},
    {Rule::tensor_name_duplicate, kFatal, "tensor-name-duplicate",
     "a tensor's name stands once, in all parts of a split model"},
    {Rule::tensor_dims, kFatal, "tensor-dims",
     "a tensor has at most 4 dimensions, each at least 1"},
    {Rule::tensor_type, kFatal, "tensor-type", "a tensor's type number is known"},
    {Rule::tensor_row, kFatal, "tensor-row", "a row is a whole number of the type's blocks"},
    {Rule::tensor_size, kFatal, "tensor-size", "a tensor has less than 2^63 elements and bytes"},
    {Rule::tensor_offset, kFatal, "tensor-offset",
     "a tensor's offset is a multiple of the alignment"},
    {Rule::tensor_bounds, kFatal, "tensor-bounds", "a tensor's bytes lie inside the file"},
    {Rule::tensor_overlap, kFatal, "tensor-overlap", "no two tensors share bytes"},
    {Rule::split_part, kFatal, "split-part",
     "a part of a split model has the number, count and name that its place asks for"},
    {Rule::split_missing, kFatal, "split-missing",
     "every part of a split model lies beside the first"},
    {Rule::split_count, kFatal, "split-count",
     "the parts hold as many tensors together as split.tensors.count says"},
};

// C0 and C1 control characters and DEL: some of them move the cursor or change colours.
bool is_control(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0);
}

// One character, or one malformed byte, as it is shown.
std::string shown(std::string_view character, const utf8::Decoded& decoded, char quote) {
  const char first = character[0];
  if (first == '\n') return "\\n";
  if (first == '\t') return "\\t";
  if (first == '\\' || (quote != '\0' && first == quote)) return std::string("\\") + first;
  if (decoded.valid && !is_control(decoded.code_point)) return std::string(character);
  std::string out;
  for (const char c : character) out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  return out;
}

// `quote` is escaped too, unless it is 0.
std::string escaped(std::string_view text, std::size_t max_bytes, char quote) {
  std::string out;
  while (!text.empty()) {
    const utf8::Decoded decoded = utf8::decode_one(text);
    const std::string character = shown(text.substr(0, decoded.length), decoded, quote);
    if (out.size() + character.size() > max_bytes) return out + "…";
    out += character;
    text.remove_prefix(decoded.length);
  }
  return out;
}

}  // namespace

std::span<const RuleInfo> all_rules() {
  return kRules;
}

const RuleInfo& rule_info(Rule rule) {
  return kRules[static_cast<std::size_t>(rule)];
}

std::string printable(std::string_view text, std::size_t max_bytes) {
  return escaped(text, max_bytes, '\0');
}

std::string quoted(std::string_view text, std::size_t max_bytes, char quote) {
  return fmt::format("{0}{1}{0}", quote, escaped(text, max_bytes, quote));
}

}  // namespace hearth::gguf
