#include "gguf/split.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "gguf/keys.h"

namespace hearth::gguf {
namespace {

constexpr std::string_view kEnding = ".gguf";
constexpr std::string_view kBetween = "-of-";
constexpr std::size_t kDigits = 5;

// Takes `n` bytes off the end of `text`.
std::string_view take_last(std::string_view& text, std::size_t n) {
  const std::string_view last = text.substr(text.size() - n);
  text.remove_suffix(n);
  return last;
}

std::optional<std::uint32_t> number(std::string_view digits) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

std::optional<std::uint64_t> integer(const Parsed& part, std::string_view key) {
  for (const Entry& entry : part.metadata) {
    if (entry.key == key && matches(KeyType::integer, entry.value)) return entry.value.as_bits();
  }
  return std::nullopt;
}

}  // namespace

std::optional<SplitName> parse_split_name(const std::string& file_name) {
  std::string_view rest = file_name;
  if (!rest.ends_with(kEnding)) return std::nullopt;
  rest.remove_suffix(kEnding.size());
  if (rest.size() < 1 + kDigits + kBetween.size() + kDigits) return std::nullopt;
  const auto count = number(take_last(rest, kDigits));
  if (take_last(rest, kBetween.size()) != kBetween) return std::nullopt;
  const auto no = number(take_last(rest, kDigits));
  if (take_last(rest, 1) != "-" || !no || !count || *no < 1 || *no > *count) return std::nullopt;
  return SplitName{std::string(rest), *no - 1, *count};
}

std::string split_file_name(const SplitName& name) {
  return fmt::format("{}-{:05}-of-{:05}{}", name.stem, name.no + 1, name.count, kEnding);
}

SplitKeys split_keys(const Parsed& part) {
  SplitKeys keys;
  keys.no = integer(part, keys::kSplitNo).value_or(0);
  keys.count = integer(part, keys::kSplitCount).value_or(1);
  keys.tensors = integer(part, keys::kSplitTensors);
  return keys;
}

}  // namespace hearth::gguf
