// Writes GGUF files field by field, right or wrong, for tests. Independent of gguf/writer.h: it
// states the format again, from the format document, and checks nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hearth::test {

/// Appends little-endian fields to a growing file.
class Bytes {
 public:
  template <typename T>
  Bytes& put(T value) {
    const auto* at = reinterpret_cast<const char*>(&value);
    data_.append(at, sizeof(T));
    return *this;
  }
  Bytes& u8(std::uint8_t v) { return put(v); }
  Bytes& u32(std::uint32_t v) { return put(v); }
  Bytes& u64(std::uint64_t v) { return put(v); }
  Bytes& raw(std::string_view text) {
    data_.append(text);
    return *this;
  }
  /// A GGUF string: u64 length, then the bytes.
  Bytes& str(std::string_view text) { return u64(text.size()).raw(text); }
  Bytes& zeros(std::size_t n) {
    data_.append(n, '\0');
    return *this;
  }
  Bytes& pad_to(std::size_t alignment) {
    while (data_.size() % alignment != 0) data_.push_back('\0');
    return *this;
  }

  std::size_t size() const { return data_.size(); }
  const std::string& data() const { return data_; }
  std::span<const std::byte> bytes() const {
    return std::as_bytes(std::span(data_.data(), data_.size()));
  }

 private:
  std::string data_;
};

// Value type numbers of the format document.
enum : std::uint32_t {
  kU8 = 0,
  kI8 = 1,
  kU16 = 2,
  kI16 = 3,
  kU32 = 4,
  kI32 = 5,
  kF32 = 6,
  kBool = 7,
  kString = 8,
  kArray = 9,
  kU64 = 10,
  kI64 = 11,
  kF64 = 12,
};

inline void write_file(const std::filesystem::path& path, const Bytes& contents) {
  std::ofstream(path, std::ios::binary) << contents.data();
}

/// A GGUF file from parts that each can be spoiled: metadata entries, tensor rows, data.
class GgufBuilder {
 public:
  std::string magic = "GGUF";
  std::uint32_t version = 3;
  std::uint64_t alignment = 32;  // of the padding that build() writes; not announced by itself

  template <typename T>
  GgufBuilder& kv(std::string_view key, std::uint32_t type, T value) {
    return entry(key, type, Bytes().put(value));
  }
  GgufBuilder& kv_str(std::string_view key, std::string_view value) {
    return entry(key, kString, Bytes().str(value));
  }
  template <typename T>
  GgufBuilder& kv_array(std::string_view key, std::uint32_t type, const std::vector<T>& values) {
    Bytes payload;
    payload.u32(type).u64(values.size());
    for (const T v : values) payload.put(v);
    return entry(key, kArray, payload);
  }
  GgufBuilder& kv_strings(std::string_view key, const std::vector<std::string>& values) {
    Bytes payload;
    payload.u32(kString).u64(values.size());
    for (const std::string& v : values) payload.str(v);
    return entry(key, kArray, payload);
  }
  /// Any entry: `payload` is everything after the type number.
  GgufBuilder& entry(std::string_view key, std::uint32_t type, const Bytes& payload) {
    metadata_.str(key).u32(type).raw(payload.data());
    ++n_metadata_;
    return *this;
  }

  GgufBuilder& tensor(std::string_view name, const std::vector<std::uint64_t>& dims,
                      std::uint32_t type, std::uint64_t offset) {
    tensors_.str(name).u32(static_cast<std::uint32_t>(dims.size()));
    for (const std::uint64_t d : dims) tensors_.u64(d);
    tensors_.u32(type).u64(offset);
    ++n_tensors_;
    return *this;
  }
  GgufBuilder& data(std::string_view bytes) {
    data_.raw(bytes);
    return *this;
  }

  /// Announce other counts than there are.
  GgufBuilder& claim_tensors(std::uint64_t n) {
    n_tensors_ = n;
    return *this;
  }
  GgufBuilder& claim_metadata(std::uint64_t n) {
    n_metadata_ = n;
    return *this;
  }

  Bytes build() const {
    Bytes file;
    file.raw(magic).u32(version).u64(n_tensors_).u64(n_metadata_);
    file.raw(metadata_.data()).raw(tensors_.data());
    if (data_.size() != 0) file.pad_to(alignment).raw(data_.data());
    return file;
  }

 private:
  Bytes metadata_, tensors_, data_;
  std::uint64_t n_metadata_ = 0, n_tensors_ = 0;
};

}  // namespace hearth::test
