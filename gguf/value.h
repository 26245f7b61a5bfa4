// Metadata values: views into the mapped file, never copies.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hearth::gguf {

/// Numbers as they stand in GGUF files (format document, gguf_metadata_value_type).
enum class ValueType : std::uint32_t {
  u8 = 0,
  i8 = 1,
  u16 = 2,
  i16 = 3,
  u32 = 4,
  i32 = 5,
  f32 = 6,
  boolean = 7,
  string = 8,
  array = 9,
  u64 = 10,
  i64 = 11,
  f64 = 12,
};

/// "u32", "string", "array" …; "type 77" for a number that no type has.
std::string type_name(ValueType type);

/// Whether `raw` is the number of a type.
bool is_value_type(std::uint32_t raw);

/// Bytes of a value of fixed size (numbers, bool); 0 for strings and arrays.
std::size_t fixed_size(ValueType type);

/// Arrays nest at most this deep: an array of numbers is 1 deep.
inline constexpr int kMaxArrayDepth = 8;

/// A value that has been checked against the bounds of its file. Valid while the Reader that gave
/// it lives. Conversions throw Error (naming the key) when the stored type or value does not fit
/// what is asked.
class Value {
 public:
  Value(std::string_view owner, std::string_view key, ValueType type, ValueType element_type,
        std::uint64_t count, std::span<const std::byte> bytes);

  ValueType type() const { return type_; }
  bool is_array() const { return type_ == ValueType::array; }
  ValueType element_type() const { return element_type_; }  // of an array
  std::uint64_t count() const { return count_; }            // elements of an array; 1 otherwise
  /// The payload as stored: after the type, and for an array after element type and count. A
  /// string's length is part of it.
  std::span<const std::byte> bytes() const { return bytes_; }

  bool as_bool() const;
  std::int64_t as_int() const;    // any integer type that holds the value
  std::uint64_t as_uint() const;  // any integer type, not negative
  std::uint64_t as_bits() const;  // any integer type, sign-extended to 64 bits
  double as_float() const;        // f32, f64 or any integer
  std::string_view as_string() const;

  std::vector<std::int64_t> as_ints() const;         // array of any integer type or bool
  std::vector<float> as_floats() const;              // array of f32, f64 or integers
  std::vector<std::string_view> as_strings() const;  // array of strings
  /// The first `max` elements of any array, nested ones too.
  std::vector<Value> as_values(std::uint64_t max = ~std::uint64_t{0}) const;

  std::string number_text() const;  // digits that read back as the same number
  std::string describe() const;     // "the u32 7", "an array of 9 string": for messages

 private:
  [[noreturn]] void fail(std::string_view expected, std::string got) const;

  std::string_view owner_;  // file name, for messages
  std::string_view key_;
  ValueType type_;
  ValueType element_type_;
  std::uint64_t count_;
  std::span<const std::byte> bytes_;
};

}  // namespace hearth::gguf
