// An index file as bytes: its map, its commits, its lock. What segments mean is segment.h's affair.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/retrieval/index_format.h"

namespace hearth::retrieval {

/// What an error of a damaged index expects.
inline constexpr std::string_view kWholeIndex =
    "a whole index: delete this one, and make it anew with `hearth index`";

enum class Access : std::uint8_t { read, write };

class IndexFile {
 public:
  /// Makes a new file without segments, whole or not at all. Throws Error if there is one already.
  static void create(const std::filesystem::path& path, const FileHead& head);

  /// Maps the newest commit. To write, it takes the file's lock, which one process has at a time.
  /// Throws Error on anything that is not a whole index, and when another process is writing.
  IndexFile(const std::filesystem::path& path, Access access);
  IndexFile(const IndexFile&) = delete;
  IndexFile& operator=(const IndexFile&) = delete;
  ~IndexFile();

  /// The same over memory, to read (tests, fuzzing). The bytes outlive it.
  IndexFile(std::span<const std::byte> bytes, std::string name);

  const std::string& name() const { return name_; }
  const FileHead& head() const { return head_; }
  const Superblock& superblock() const { return superblock_; }
  std::span<const std::byte> bytes() const { return bytes_; }  // up to the newest commit's end
  std::vector<DirectoryEntry> directory() const;

  /// Whether one of the last two commits is not whole, and this is the other: the one before it,
  /// for all that can be known.
  bool is_fallback() const { return is_fallback_; }

  /// Where the next segment will begin.
  std::uint64_t next_segment_at() const;

  /// Appends a segment, which was made for next_segment_at(), and makes the file the state with it.
  /// When it throws, the file is still in the state before.
  void commit(std::span<const std::byte> segment, std::uint64_t n_records);

  /// Gives the file another name, whatever had it. Throws Error; it then has its old one.
  void move_to(const std::filesystem::path& path);

  [[noreturn]] void refuse(std::string what, std::string expected, std::string got) const;

 private:
  void release();
  void lock();
  void map();
  void read_head();
  void choose_superblock();
  bool is_whole(const Superblock& block) const;
  void write_at(std::uint64_t at, std::span<const std::byte> bytes);
  void make_durable();

  std::filesystem::path path_;
  std::string name_;
  Access access_ = Access::read;
  int fd_ = -1;
  std::span<const std::byte> mapped_;
  std::span<const std::byte> bytes_;
  FileHead head_ = {};
  Superblock superblock_ = {};
  int slot_ = 0;  // where it stands
  bool is_fallback_ = false;
};

/// The hash that ends each head struct: of all its bytes before.
template <class Head>
std::uint64_t head_hash(const Head& head);

}  // namespace hearth::retrieval
