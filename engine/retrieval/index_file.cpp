#include "engine/retrieval/index_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "base/hash64.h"
#include "base/output_file.h"

namespace hearth::retrieval {
namespace {

template <class Struct>
std::span<const std::byte> bytes_of(const Struct& value) {
  return std::as_bytes(std::span(&value, 1));
}

/// The struct at `at`, which lies inside `bytes`.
template <class Struct>
Struct read_at(std::span<const std::byte> bytes, std::uint64_t at) {
  Struct value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

bool is_blank(std::span<const std::byte> bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
}

std::uint64_t rounded_up(std::uint64_t n) {
  return (n + kAlignment - 1) / kAlignment * kAlignment;
}

[[noreturn]] void fail(const std::filesystem::path& path, std::string what, int reason) {
  throw Error({.where = path.string(),
               .what = std::move(what),
               .expected = {},
               .got = std::strerror(reason)});
}

}  // namespace

template <class Head>
std::uint64_t head_hash(const Head& head) {
  return hash64(bytes_of(head).first(offsetof(Head, hash)));
}
template std::uint64_t head_hash(const FileHead&);
template std::uint64_t head_hash(const Superblock&);
template std::uint64_t head_hash(const SegmentHead&);

void IndexFile::create(const std::filesystem::path& path, const FileHead& head) {
  if (std::filesystem::exists(path)) {
    throw Error({.where = path.string(),
                 .what = "exists already",
                 .expected = "a new name, or an index to be updated",
                 .got = {}});
  }
  std::vector<std::byte> page(kHeadBytes);
  std::memcpy(page.data(), &head, sizeof head);
  Superblock block{.sequence = 1,
                   .end = kHeadBytes,
                   .directory_at = kHeadBytes,
                   .n_segments = 0,
                   .directory_hash = hash64(std::span<const std::byte>()),
                   .hash = 0};
  block.hash = head_hash(block);
  std::memcpy(page.data() + kSuperblockAt[0], &block, sizeof block);
  OutputFile out(path);
  out.write(page);
  out.commit();
}

IndexFile::IndexFile(const std::filesystem::path& path, Access access)
    : path_(path), name_(path.string()), access_(access) {
  try {
    lock();
    map();
    read_head();
    choose_superblock();
  } catch (...) {
    release();
    throw;
  }
}

IndexFile::IndexFile(std::span<const std::byte> bytes, std::string name)
    : name_(std::move(name)), bytes_(bytes) {
  read_head();
  choose_superblock();
}

IndexFile::~IndexFile() {
  release();
}

void IndexFile::release() {
  if (!mapped_.empty()) munmap(const_cast<std::byte*>(mapped_.data()), mapped_.size());
  if (fd_ >= 0) close(fd_);
}

void IndexFile::refuse(std::string what, std::string expected, std::string got) const {
  throw Error({.where = name_,
               .what = std::move(what),
               .expected = std::move(expected),
               .got = std::move(got)});
}

// A compaction puts another file in the place of this one: who waited for the lock of the old one
// looks again.
void IndexFile::lock() {
  const bool writes = access_ == Access::write;
  for (;;) {
    fd_ = open(path_.c_str(), (writes ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK);
    if (fd_ < 0) {
      refuse("the index cannot be opened", "one that `hearth index` has made",
             std::strerror(errno));
    }
    struct stat mine {};
    if (fstat(fd_, &mine) != 0) fail(path_, "the index cannot be opened", errno);
    if (!S_ISREG(mine.st_mode)) refuse("is not a regular file", "an index file", {});
    if (!writes) return;
    if (flock(fd_, LOCK_EX | LOCK_NB) != 0) {
      refuse("another process is writing to this index", "no other: try again when it is done", {});
    }
    struct stat named {};
    const bool same = stat(path_.c_str(), &named) == 0 && named.st_ino == mine.st_ino &&
                      named.st_dev == mine.st_dev;
    if (same) return;
    close(std::exchange(fd_, -1));
  }
}

void IndexFile::map() {
  if (!mapped_.empty()) munmap(const_cast<std::byte*>(mapped_.data()), mapped_.size());
  mapped_ = bytes_ = {};
  struct stat info {};
  if (fstat(fd_, &info) != 0) fail(path_, "the index cannot be read", errno);
  const auto size = static_cast<std::size_t>(info.st_size);
  if (size == 0) return;
  void* at = mmap(nullptr, size, PROT_READ, MAP_SHARED, fd_, 0);
  if (at == MAP_FAILED) fail(path_, "the index cannot be mapped into memory", errno);
  mapped_ = bytes_ = {static_cast<const std::byte*>(at), size};
}

void IndexFile::read_head() {
  if (bytes_.size() < sizeof(std::uint64_t) || read_at<std::uint64_t>(bytes_, 0) != kMagic) {
    refuse("this is not a Hearth index", "a file that `hearth index` has made", {});
  }
  if (bytes_.size() < kHeadBytes) {
    refuse("the index is cut short", fmt::format("at least {} bytes", kHeadBytes),
           fmt::format("{}", bytes_.size()));
  }
  head_ = read_at<FileHead>(bytes_, 0);
  if (head_.version != kVersion) {
    refuse("the index has a format that this version of Hearth does not know",
           fmt::format(
               "format {}: use the Hearth that made it, or make another index with `hearth index`",
               kVersion),
           fmt::format("{}", head_.version));
  }
  if (head_.hash != head_hash(head_) || head_.dimension > kMostDimensions) {
    refuse("the head of the index is damaged", std::string(kWholeIndex), {});
  }
  head_.embedder[sizeof head_.embedder - 1] = '\0';
}

bool IndexFile::is_whole(const Superblock& block) const {
  if (block.hash != head_hash(block) || block.n_segments > kMostSegments) return false;
  const std::uint64_t bytes = block.n_segments * sizeof(DirectoryEntry);
  if (block.end > bytes_.size() || block.directory_at > block.end ||
      bytes > block.end - block.directory_at || block.directory_at < kHeadBytes) {
    return false;
  }
  return hash64(bytes_.subspan(block.directory_at, bytes)) == block.directory_hash;
}

void IndexFile::choose_superblock() {
  Superblock blocks[2];
  bool whole[2];
  std::uint64_t newest = 0;  // that was ever written, whole or not
  for (std::size_t i = 0; i < 2; ++i) {
    blocks[i] = read_at<Superblock>(bytes_, kSuperblockAt[i]);
    whole[i] = is_whole(blocks[i]);
    if (blocks[i].hash == head_hash(blocks[i])) newest = std::max(newest, blocks[i].sequence);
  }
  if (!whole[0] && !whole[1]) {
    refuse("the index is damaged or cut short: none of its commits is whole",
           std::string(kWholeIndex), fmt::format("{} bytes", bytes_.size()));
  }
  slot_ = whole[1] && (!whole[0] || blocks[1].sequence > blocks[0].sequence) ? 1 : 0;
  superblock_ = blocks[slot_];
  // Which commit a torn superblock is of, it cannot say itself. One without any is blank.
  const Superblock& other = blocks[1 - slot_];
  const bool is_torn = other.hash != head_hash(other) && !is_blank(bytes_of(other));
  is_fallback_ = is_torn || superblock_.sequence != newest;
  bytes_ = bytes_.first(superblock_.end);
}

std::vector<DirectoryEntry> IndexFile::directory() const {
  std::vector<DirectoryEntry> entries(superblock_.n_segments);
  if (!entries.empty()) {
    std::memcpy(entries.data(), bytes_.data() + superblock_.directory_at,
                entries.size() * sizeof(DirectoryEntry));
  }
  return entries;
}

std::uint64_t IndexFile::next_segment_at() const {
  return rounded_up(superblock_.end);
}

void IndexFile::commit(std::span<const std::byte> segment, std::uint64_t n_records) {
  HEARTH_CHECK(access_ == Access::write);
  std::vector<DirectoryEntry> entries = directory();
  if (entries.size() >= kMostSegments) {
    refuse("the index has as many commits as there can be", "a compaction before the next", {});
  }
  entries.push_back({.at = next_segment_at(), .n_records = n_records});
  const auto table = std::as_bytes(std::span(entries));
  Superblock next{.sequence = superblock_.sequence + 1,
                  .end = 0,
                  .directory_at = rounded_up(next_segment_at() + segment.size()),
                  .n_segments = entries.size(),
                  .directory_hash = hash64(table),
                  .hash = 0};
  next.end = next.directory_at + table.size();
  next.hash = head_hash(next);
  try {
    write_at(next_segment_at(), segment);
    write_at(next.directory_at, table);
    if (ftruncate(fd_, static_cast<off_t>(next.end)) != 0) fail(path_, "cannot be sized", errno);
    make_durable();
    write_at(kSuperblockAt[1 - slot_], bytes_of(next));
    make_durable();
  } catch (...) {
    // What was appended is of no commit; a disk that is full is so no longer.
    [[maybe_unused]] const int ignored = ftruncate(fd_, static_cast<off_t>(superblock_.end));
    throw;
  }
  map();
  choose_superblock();
}

void IndexFile::move_to(const std::filesystem::path& path) {
  std::error_code failed;
  std::filesystem::rename(path_, path, failed);
  if (failed) fail(path, "the index cannot be put there", failed.value());
  path_ = path;
  name_ = path.string();
}

void IndexFile::write_at(std::uint64_t at, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) fail(path_, "the index cannot be written; it is as it was before", errno);
    bytes = bytes.subspan(static_cast<std::size_t>(n));
    at += static_cast<std::uint64_t>(n);
  }
}

void IndexFile::make_durable() {
  if (fdatasync(fd_) != 0) fail(path_, "the index cannot be made durable", errno);
}

}  // namespace hearth::retrieval
