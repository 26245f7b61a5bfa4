// A file that appears whole or not at all: written without a name, or under a temporary one, and
// given its own when complete.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace hearth {

/// What a link points at, or the path itself: who replaces a file replaces this one, and links to
/// it stay links.
std::filesystem::path link_target(const std::filesystem::path& path);

class OutputFile {
 public:
  /// Creates the file in the folder of `path`. `expected_bytes` are reserved on the disk where the
  /// file system can, so that a full disk is noticed before the work rather than after. Throws
  /// Error.
  explicit OutputFile(const std::filesystem::path& path, std::uint64_t expected_bytes = 0);
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  /// Removes the file unless commit() was called.
  ~OutputFile();

  /// Appends. Throws Error naming the path and the reason, a full disk for instance.
  void write(std::span<const std::byte> bytes);

  /// Makes the file durable and gives it its name, replacing what had it.
  void commit();

 private:
  void flush();
  void write_through(std::span<const std::byte> bytes);
  void give_name();
  void discard();
  [[noreturn]] void fail(const char* what, int reason) const;

  std::filesystem::path path_;
  std::string temporary_;
  int fd_ = -1;
  bool is_nameless_ = false;
  std::vector<std::byte> buffer_;
};

}  // namespace hearth
