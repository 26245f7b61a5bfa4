// Little-endian bytes to numbers, with every read checked against the end. Integers in GGUF files
// have no alignment: they are copied out, never pointed at.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

namespace hearth::gguf {

static_assert(std::endian::native == std::endian::little,
              "GGUF files are little-endian and are read in place");

template <typename T>
T load(const std::byte* at) {
  static_assert(std::is_arithmetic_v<T> && !std::is_same_v<T, bool>);
  T value;
  std::memcpy(&value, at, sizeof(T));
  return value;
}

inline std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// A position in bytes that can only move forward and never past the end.
class Cursor {
 public:
  explicit Cursor(std::span<const std::byte> bytes) : bytes_(bytes) {}

  std::uint64_t position() const { return position_; }
  std::uint64_t remaining() const { return bytes_.size() - position_; }

  /// The bytes from `begin`, an earlier position, to here.
  std::span<const std::byte> since(std::uint64_t begin) const {
    return bytes_.subspan(begin, position_ - begin);
  }

  /// False, and no move, if fewer bytes are left.
  template <typename T>
  bool read(T& value) {
    if (remaining() < sizeof(T)) return false;
    value = load<T>(bytes_.data() + position_);
    position_ += sizeof(T);
    return true;
  }

  bool take(std::uint64_t n, std::span<const std::byte>& taken) {
    if (remaining() < n) return false;
    taken = bytes_.subspan(position_, n);
    position_ += n;
    return true;
  }

 private:
  std::span<const std::byte> bytes_;
  std::uint64_t position_ = 0;
};

}  // namespace hearth::gguf
