#include "gguf/keys.h"

#include <algorithm>
#include <vector>

#include "base/error.h"

namespace hearth::gguf {
namespace {

constexpr std::string_view kArchMark = "{arch}";
constexpr std::string_view kSegmentMark = "{n}";

constexpr std::uint32_t bit(ValueType type) {
  return 1u << static_cast<std::uint32_t>(type);
}

constexpr std::uint32_t kIntegers = bit(ValueType::u8) | bit(ValueType::i8) | bit(ValueType::u16) |
                                    bit(ValueType::i16) | bit(ValueType::u32) |
                                    bit(ValueType::i32) | bit(ValueType::u64) | bit(ValueType::i64);
constexpr std::uint32_t kReals = bit(ValueType::f32) | bit(ValueType::f64) | kIntegers;
constexpr std::uint32_t kFlags = bit(ValueType::boolean);
constexpr std::uint32_t kTexts = bit(ValueType::string);

struct TypeRow {
  KeyType type;
  std::string_view words;
  std::uint32_t alone;     // value types, as bits
  std::uint32_t in_array;  // element types, as bits
};

constexpr TypeRow kTypes[] = {
    {KeyType::text, "a string", kTexts, 0},
    {KeyType::flag, "a bool", kFlags, 0},
    {KeyType::integer, "an integer", kIntegers, 0},
    {KeyType::real, "a number", kReals, 0},
    {KeyType::u32, "a u32", bit(ValueType::u32), 0},
    {KeyType::texts, "an array of strings", 0, kTexts},
    {KeyType::integers, "an array of integers", 0, kIntegers},
    {KeyType::reals, "an array of numbers", 0, kReals},
    {KeyType::i32s, "an array of i32", 0, bit(ValueType::i32)},
    {KeyType::f32s, "an array of f32", 0, bit(ValueType::f32)},
    {KeyType::integer_or_integers, "an integer or an array of integers", kIntegers, kIntegers},
    {KeyType::real_or_reals, "a number or an array of numbers", kReals, kReals},
    {KeyType::period_or_flags, "an integer or an array of bools", kIntegers, kFlags | kIntegers},
};

const TypeRow& row(KeyType type) {
  return kTypes[static_cast<std::size_t>(type)];
}

// The table sorted by name.
const std::vector<const KeyInfo*>& by_name() {
  static const std::vector<const KeyInfo*> kSorted = [] {
    std::vector<const KeyInfo*> sorted;
    for (const KeyInfo& info : all_keys()) sorted.push_back(&info);
    std::sort(sorted.begin(), sorted.end(),
              [](const KeyInfo* a, const KeyInfo* b) { return a->name < b->name; });
    return sorted;
  }();
  return kSorted;
}

const KeyInfo* find_exact(std::string_view name) {
  const auto& keys = by_name();
  const auto at = std::lower_bound(
      keys.begin(), keys.end(), name,
      [](const KeyInfo* info, std::string_view wanted) { return info->name < wanted; });
  return at != keys.end() && (*at)->name == name ? *at : nullptr;
}

// Whether `key` is `pattern` with one segment (no dots) in the place of its mark.
bool matches_segment(std::string_view pattern, std::string_view key) {
  const std::size_t mark = pattern.find(kSegmentMark);
  if (mark == std::string_view::npos) return false;
  const std::string_view head = pattern.substr(0, mark);
  const std::string_view tail = pattern.substr(mark + kSegmentMark.size());
  if (key.size() <= head.size() + tail.size()) return false;
  const std::string_view segment = key.substr(head.size(), key.size() - head.size() - tail.size());
  return key.starts_with(head) && key.ends_with(tail) &&
         segment.find('.') == std::string_view::npos;
}

}  // namespace

std::string_view describe(KeyType type) {
  return row(type).words;
}

bool matches(KeyType type, const Value& value) {
  return value.is_array() ? (row(type).in_array & bit(value.element_type())) != 0
                          : (row(type).alone & bit(value.type())) != 0;
}

const KeyInfo* find_key(std::string_view key, std::string_view arch) {
  if (const KeyInfo* info = find_exact(key)) return info;
  if (!arch.empty() && key.starts_with(arch) && key.substr(arch.size()).starts_with('.'))
    return find_exact(std::string(kArchMark).append(key.substr(arch.size())));
  for (const KeyInfo& info : all_keys()) {
    if (matches_segment(info.name, key)) return &info;
  }
  return nullptr;
}

std::string arch_key(std::string_view arch, std::string_view suffix) {
  const std::string name = std::string(kArchMark).append(".").append(suffix);
  HEARTH_CHECK(find_exact(name) != nullptr);
  return std::string(arch).append(".").append(suffix);
}

}  // namespace hearth::gguf
