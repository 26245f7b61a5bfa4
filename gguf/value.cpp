#include "gguf/value.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "base/error.h"
#include "gguf/violation.h"
#include "gguf/wire.h"

namespace hearth::gguf {
namespace {

struct TypeRow {
  ValueType type;
  std::string_view name;
  std::size_t size;  // 0: not fixed
};

constexpr TypeRow kTypes[] = {
    {ValueType::u8, "u8", 1},         {ValueType::i8, "i8", 1},
    {ValueType::u16, "u16", 2},       {ValueType::i16, "i16", 2},
    {ValueType::u32, "u32", 4},       {ValueType::i32, "i32", 4},
    {ValueType::f32, "f32", 4},       {ValueType::boolean, "bool", 1},
    {ValueType::string, "string", 0}, {ValueType::array, "array", 0},
    {ValueType::u64, "u64", 8},       {ValueType::i64, "i64", 8},
    {ValueType::f64, "f64", 8},
};

// An integer of any stored type: sign apart, so that u64 and i64 both fit.
struct Integer {
  bool negative;
  std::uint64_t bits;  // two's complement when negative
};

template <typename T>
Integer integer(const std::byte* at) {
  const T value = load<T>(at);
  return {value < T{0}, static_cast<std::uint64_t>(value)};
}

std::optional<Integer> load_integer(ValueType type, const std::byte* at) {
  switch (type) {
    case ValueType::u8:
      return integer<std::uint8_t>(at);
    case ValueType::i8:
      return integer<std::int8_t>(at);
    case ValueType::u16:
      return integer<std::uint16_t>(at);
    case ValueType::i16:
      return integer<std::int16_t>(at);
    case ValueType::u32:
      return integer<std::uint32_t>(at);
    case ValueType::i32:
      return integer<std::int32_t>(at);
    case ValueType::u64:
      return integer<std::uint64_t>(at);
    case ValueType::i64:
      return integer<std::int64_t>(at);
    default:
      return std::nullopt;
  }
}

std::optional<double> load_float(ValueType type, const std::byte* at) {
  if (type == ValueType::f32) return load<float>(at);
  if (type == ValueType::f64) return load<double>(at);
  const auto n = load_integer(type, at);
  if (!n) return std::nullopt;
  return n->negative ? static_cast<double>(static_cast<std::int64_t>(n->bits))
                     : static_cast<double>(n->bits);
}

// The stored string at the cursor; its bounds were checked when the file was read.
std::string_view next_string(Cursor& cursor) {
  std::uint64_t length = 0;
  std::span<const std::byte> text;
  HEARTH_CHECK(cursor.read(length) && cursor.take(length, text));
  return as_text(text);
}

// Moves the cursor over one value whose bounds were checked when the file was read.
void skip(Cursor& cursor, ValueType type) {
  std::span<const std::byte> taken;
  if (type == ValueType::string) {
    next_string(cursor);
  } else if (type != ValueType::array) {
    HEARTH_CHECK(cursor.take(fixed_size(type), taken));
  } else {
    std::uint32_t element = 0;
    std::uint64_t count = 0;
    HEARTH_CHECK(cursor.read(element) && cursor.read(count));
    const auto element_type = static_cast<ValueType>(element);
    if (const std::size_t size = fixed_size(element_type); size != 0) {
      HEARTH_CHECK(cursor.take(count * size, taken));
      return;
    }
    for (std::uint64_t i = 0; i < count; ++i) skip(cursor, element_type);
  }
}

}  // namespace

std::string type_name(ValueType type) {
  const auto raw = static_cast<std::uint32_t>(type);
  return is_value_type(raw) ? std::string(kTypes[raw].name) : fmt::format("type {}", raw);
}

bool is_value_type(std::uint32_t raw) {
  return raw < std::size(kTypes);
}

std::size_t fixed_size(ValueType type) {
  return kTypes[static_cast<std::uint32_t>(type)].size;
}

Value::Value(std::string_view owner, std::string_view key, ValueType type, ValueType element_type,
             std::uint64_t count, std::span<const std::byte> bytes)
    : owner_(owner),
      key_(key),
      type_(type),
      element_type_(element_type),
      count_(count),
      bytes_(bytes) {}

void Value::fail(std::string_view expected, std::string got) const {
  throw Error({.where = std::string(owner_),
               .what = fmt::format("metadata key {} does not hold what it should", quoted(key_)),
               .expected = std::string(expected),
               .got = std::move(got)});
}

bool Value::as_bool() const {
  if (type_ != ValueType::boolean) fail("a bool", describe());
  return bytes_[0] != std::byte{0};
}

std::int64_t Value::as_int() const {
  const auto n = load_integer(type_, bytes_.data());
  if (!n) fail("an integer", describe());
  if (!n->negative && n->bits > std::uint64_t{std::numeric_limits<std::int64_t>::max()})
    fail("an integer of at most 63 bits", describe());
  return static_cast<std::int64_t>(n->bits);
}

std::uint64_t Value::as_uint() const {
  const auto n = load_integer(type_, bytes_.data());
  if (!n) fail("an integer", describe());
  if (n->negative) fail("an integer that is not negative", describe());
  return n->bits;
}

std::uint64_t Value::as_bits() const {
  const auto n = load_integer(type_, bytes_.data());
  if (!n) fail("an integer", describe());
  return n->bits;
}

double Value::as_float() const {
  const auto x = load_float(type_, bytes_.data());
  if (!x) fail("a number", describe());
  return *x;
}

std::string_view Value::as_string() const {
  if (type_ != ValueType::string) fail("a string", describe());
  Cursor cursor(bytes_);
  return next_string(cursor);
}

std::vector<std::int64_t> Value::as_ints() const {
  const std::string_view expected = "an array of integers or bools";
  const bool bools = element_type_ == ValueType::boolean;
  const std::size_t size = is_array() ? fixed_size(element_type_) : 0;
  if (size == 0) fail(expected, describe());
  std::vector<std::int64_t> out;
  out.reserve(count_);
  for (std::uint64_t i = 0; i < count_; ++i) {
    const auto n = load_integer(bools ? ValueType::u8 : element_type_, bytes_.data() + i * size);
    if (!n) fail(expected, describe());
    if (!n->negative && n->bits > std::uint64_t{std::numeric_limits<std::int64_t>::max()})
      fail("integers of at most 63 bits", fmt::format("{} in element {}", n->bits, i));
    out.push_back(static_cast<std::int64_t>(n->bits));
  }
  if (count_ == 0 && !bools && (element_type_ == ValueType::f32 || element_type_ == ValueType::f64))
    fail(expected, describe());
  return out;
}

std::vector<float> Value::as_floats() const {
  const std::size_t size = is_array() ? fixed_size(element_type_) : 0;
  if (size == 0 || element_type_ == ValueType::boolean) fail("an array of numbers", describe());
  std::vector<float> out;
  out.reserve(count_);
  for (std::uint64_t i = 0; i < count_; ++i)
    out.push_back(static_cast<float>(*load_float(element_type_, bytes_.data() + i * size)));
  return out;
}

std::vector<std::string_view> Value::as_strings() const {
  if (!is_array() || element_type_ != ValueType::string) fail("an array of strings", describe());
  std::vector<std::string_view> out;
  out.reserve(count_);
  Cursor cursor(bytes_);
  for (std::uint64_t i = 0; i < count_; ++i) out.push_back(next_string(cursor));
  return out;
}

std::vector<Value> Value::as_values(std::uint64_t max) const {
  if (!is_array()) fail("an array", describe());
  const std::uint64_t n = std::min(max, count_);
  std::vector<Value> out;
  out.reserve(n);
  Cursor cursor(bytes_);
  for (std::uint64_t i = 0; i < n; ++i) {
    const std::uint64_t begin = cursor.position();
    if (element_type_ != ValueType::array) {
      skip(cursor, element_type_);
      out.emplace_back(owner_, key_, element_type_, element_type_, 1, cursor.since(begin));
      continue;
    }
    constexpr std::size_t kHead = sizeof(std::uint32_t) + sizeof(std::uint64_t);
    const auto inner = static_cast<ValueType>(load<std::uint32_t>(bytes_.data() + begin));
    const auto count = load<std::uint64_t>(bytes_.data() + begin + sizeof(std::uint32_t));
    skip(cursor, ValueType::array);
    out.emplace_back(owner_, key_, ValueType::array, inner, count,
                     cursor.since(begin).subspan(kHead));
  }
  return out;
}

std::string Value::number_text() const {
  const double x = as_float();
  if (type_ == ValueType::f32) return fmt::format("{}", static_cast<float>(x));
  if (type_ == ValueType::f64) return fmt::format("{}", x);
  const auto n = load_integer(type_, bytes_.data());
  return n->negative ? fmt::format("{}", static_cast<std::int64_t>(n->bits))
                     : fmt::format("{}", n->bits);
}

std::string Value::describe() const {
  if (is_array()) return fmt::format("an array of {} {}", count_, type_name(element_type_));
  if (type_ == ValueType::string) return "the string " + quoted(as_string(), 40);
  if (type_ == ValueType::boolean) return as_bool() ? "the bool true" : "the bool false";
  return fmt::format("the {} {}", type_name(type_), number_text());
}

}  // namespace hearth::gguf
