// A read-only memory map of a regular file.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace hearth::gguf {

class MappedFile {
 public:
  /// Throws Error naming the path when it cannot be opened, is not a regular file, or cannot be
  /// mapped. An empty file gives empty bytes.
  explicit MappedFile(const std::filesystem::path& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&&) = delete;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return bytes_; }

  /// The whole pages inside `part`, a piece of bytes(), will not be read again soon.
  void drop_pages(std::span<const std::byte> part) const;

 private:
  std::span<const std::byte> bytes_;
};

}  // namespace hearth::gguf
