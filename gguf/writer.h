// Writes GGUF version 3 files: metadata and tensor table from memory, tensor data streamed from the
// caller one tensor at a time. What it writes, Reader opens: the finished header goes through the
// same parser before the first byte reaches the disk.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <ranges>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/progress.h"
#include "gguf/reader.h"
#include "gguf/value.h"
#include "kernels/quant_types.h"

namespace hearth::gguf {

/// A C++ type that is stored as one of the fixed-size value types: bool, integers of 8 to 64 bits,
/// float, double.
template <typename T>
concept Number = std::is_arithmetic_v<T> && sizeof(T) <= 8;

template <Number T>
constexpr ValueType value_type_of() {
  if constexpr (std::same_as<T, bool>) return ValueType::boolean;
  if constexpr (std::same_as<T, float>) return ValueType::f32;
  if constexpr (std::same_as<T, double>) return ValueType::f64;
  constexpr bool kSigned = std::is_signed_v<T>;
  if constexpr (sizeof(T) == 1) return kSigned ? ValueType::i8 : ValueType::u8;
  if constexpr (sizeof(T) == 2) return kSigned ? ValueType::i16 : ValueType::u16;
  if constexpr (sizeof(T) == 4) return kSigned ? ValueType::i32 : ValueType::u32;
  return kSigned ? ValueType::i64 : ValueType::u64;
}

/// An array value under construction, in the bytes of the file. Elements are of one type; arrays of
/// arrays nest.
class ArrayBuilder {
 public:
  explicit ArrayBuilder(ValueType element_type) : element_type_(element_type) {}

  template <Number T>
  ArrayBuilder& add(T value) {
    return append(value_type_of<T>(), std::as_bytes(std::span(&value, 1)));
  }
  ArrayBuilder& add(std::string_view text);
  ArrayBuilder& add(const ArrayBuilder& inner);

  /// The value as stored: element type, count, elements.
  std::string payload() const;

 private:
  ArrayBuilder& append(ValueType type, std::span<const std::byte> bytes);

  ValueType element_type_;
  std::uint64_t count_ = 0;
  std::string elements_;
};

class Writer {
 public:
  /// Gives the bytes of one tensor, exactly as many as its type and shape need. Called once, when
  /// its turn comes; the view must last until the next tensor is asked for.
  using DataFn = std::function<std::span<const std::byte>()>;

  // Metadata, written in the order in which keys first appear; setting a key again replaces its
  // value. The stored type is the C++ type: set(key, std::uint32_t{8}) stores a u32.
  // "general.alignment" takes effect as the file's alignment.

  template <Number T>
  void set(std::string_view key, T value) {
    put(key, value_type_of<T>(), std::string(reinterpret_cast<const char*>(&value), sizeof(T)));
  }
  void set(std::string_view key, std::string_view text);
  void set(std::string_view key, const ArrayBuilder& array);

  /// An array from a range of numbers or of strings.
  template <std::ranges::input_range Range>
  void set_array(std::string_view key, const Range& range) {
    using Element = std::ranges::range_value_t<Range>;
    if constexpr (Number<Element>) {
      ArrayBuilder array(value_type_of<Element>());
      for (const Element x : range) array.add(x);
      set(key, array);
    } else {
      ArrayBuilder array(ValueType::string);
      for (const auto& x : range) array.add(std::string_view(x));
      set(key, array);
    }
  }

  /// A value of another file, as it stands there.
  void set(std::string_view key, const Value& value);

  /// Every entry of `reader`, except what says that it is split: the copy is whole.
  void copy_metadata(const Reader& reader);

  /// No effect if `key` is absent.
  void remove(std::string_view key);

  /// Appends a tensor. `dims` has the fastest dimension first; at most 4. Data is laid out in the
  /// order of addition.
  void add_tensor(std::string_view name, QuantType type, std::span<const std::uint64_t> dims,
                  DataFn data);

  /// A tensor whose bytes exist already and outlive the writing.
  void add_tensor(std::string_view name, QuantType type, std::span<const std::uint64_t> dims,
                  std::span<const std::byte> data);

  /// A tensor of another file, as it stands there.
  void add_tensor(const Tensor& tensor);

  /// Bytes that the file will have. Throws Error if it cannot be written (see write).
  std::uint64_t file_bytes() const;

  /// Writes the file under a temporary name beside `path` and renames it once it is complete: there
  /// is never half a file at `path`. `progress` counts bytes. Throws Error when something is not
  /// allowed in a GGUF file (bad names, rows that are no multiple of the type's block …) or the
  /// disk is full, Cancelled when told to stop; the temporary file is then gone.
  void write(const std::filesystem::path& path, const ProgressFn& progress = {}) const;

  /// The same into memory.
  std::vector<std::byte> to_bytes() const;

 private:
  struct Meta {
    std::string key;
    ValueType type;
    std::string payload;
  };
  struct Planned {
    std::string name;
    QuantType type;
    std::vector<std::uint64_t> dims;
    DataFn data;
  };
  struct Layout {
    std::string header;  // up to the end of the tensor table
    std::uint64_t header_padding = 0;
    std::vector<std::uint64_t> bytes;  // of each tensor's data, without padding
    std::uint64_t alignment = 0;
    std::uint64_t file_bytes = 0;
  };
  using PutFn = std::function<void(std::span<const std::byte>)>;

  void put(std::string_view key, ValueType type, std::string payload);
  Layout layout(const std::string& name) const;
  void emit(const Layout& layout, const PutFn& put_bytes, const ProgressFn& progress) const;

  std::vector<Meta> metadata_;
  std::map<std::string, std::size_t, std::less<>> by_key_;  // index into metadata_
  std::vector<Planned> tensors_;
};

}  // namespace hearth::gguf
