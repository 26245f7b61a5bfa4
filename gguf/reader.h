// Reads GGUF versions 2 and 3, little-endian, single or split into -00001-of-0000N files.
// The file is mapped, not read: names, values and tensors are views that live as long as the
// Reader. Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gguf/value.h"
#include "kernels/quant_types.h"

namespace hearth::gguf {

struct Entry {
  std::string_view key;
  Value value;
};

/// A tensor of the file. `dims` has the fastest dimension first, as stored: a matrix of R rows and
/// C columns is {C, R}.
struct Tensor {
  std::string_view name;
  QuantType type;
  std::array<std::uint64_t, 4> dims;  // unused ones are 1
  std::uint32_t n_dims;
  std::uint64_t offset;             // from the start of its file
  std::uint32_t part;               // which file of a split, from 0
  std::span<const std::byte> data;  // the tensor's bytes, in the map

  std::uint64_t columns() const { return dims[0]; }
  std::uint64_t rows() const { return dims[1] * dims[2] * dims[3]; }
  std::uint64_t elements() const { return columns() * rows(); }
};

class Reader {
 public:
  /// Maps and checks `path`, and its sister files when it is the first of a split. Throws Error at
  /// the first violation.
  static Reader open(const std::filesystem::path& path);

  /// The same over memory that the caller keeps alive (the built-in model, tests, fuzzing). `name`
  /// stands in messages.
  static Reader from_bytes(std::span<const std::byte> bytes, std::string name);

  Reader(Reader&&) noexcept;
  Reader& operator=(Reader&&) noexcept;
  ~Reader();

  const std::string& name() const;  // path of the (first) file, for messages
  std::uint32_t version() const;
  std::uint64_t alignment() const;
  std::uint64_t file_bytes() const;  // of all parts
  std::uint32_t n_parts() const;

  std::span<const Entry> metadata() const;        // in the order of the file
  const Value* find(std::string_view key) const;  // nullptr if absent
  const Value& at(std::string_view key) const;    // throws Error naming the key if absent

  std::span<const Tensor> tensors() const;  // in the order of the file(s)
  const Tensor* find_tensor(std::string_view name) const;

  /// Whether the bytes are a file's map, whose pages the system can drop and read again.
  bool is_mapped() const;

  /// Tells the kernel that the pages of a tensor will not be read again soon. No effect on
  /// from_bytes.
  void drop_pages(const Tensor& tensor) const;

 private:
  struct Impl;
  explicit Reader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace hearth::gguf
