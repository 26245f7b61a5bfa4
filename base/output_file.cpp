#include "base/output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>
#include <utility>

#include "base/error.h"

namespace hearth {
namespace {

constexpr std::size_t kBufferBytes = 1 << 18;

// mkstemp makes files private; this one gets the mode that any new file would have. The mask can
// only be read by setting it.
mode_t usual_mode() {
  const mode_t mask = umask(0);
  umask(mask);
  return 0666 & ~mask;
}

// A link keeps pointing at the file: it is its target that is replaced.
std::filesystem::path resolved(const std::filesystem::path& path) {
  std::error_code ignored;
  const auto target = std::filesystem::weakly_canonical(path, ignored);
  return ignored ? path : target;
}

}  // namespace

OutputFile::OutputFile(const std::filesystem::path& path, std::uint64_t expected_bytes)
    : path_(resolved(path)), temporary_(path_.string() + ".part-XXXXXX") {
  std::error_code ignored;
  if (std::filesystem::exists(path_, ignored) && !std::filesystem::is_regular_file(path_, ignored))
    throw Error(
        {.where = path_.string(),
         .what = "cannot write the file: something else has this name",
         .expected = "a regular file or a new name",
         .got = std::filesystem::is_directory(path_, ignored) ? "a directory" : "a device"});
  fd_ = mkostemp(temporary_.data(), O_CLOEXEC);
  if (fd_ < 0) fail("cannot create the file", errno);
  buffer_.reserve(kBufferBytes);
  const int reserved =
      fallocate(fd_, FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(expected_bytes)) == 0 ? 0 : errno;
  // Where the file system cannot reserve, the writes will tell.
  if (reserved == ENOSPC || reserved == EDQUOT) {
    discard();
    fail("cannot write the file", reserved);
  }
}

OutputFile::~OutputFile() {
  discard();
}

void OutputFile::write(std::span<const std::byte> bytes) {
  if (buffer_.size() + bytes.size() > kBufferBytes) flush();
  if (bytes.size() > kBufferBytes) {
    write_through(bytes);
  } else {
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
  }
}

void OutputFile::commit() {
  flush();
  // On the disk before the name: a crash in between leaves the old file, never an empty one.
  if (fchmod(fd_, usual_mode()) != 0 || fsync(fd_) != 0) fail("cannot finish the file", errno);
  const int closed = close(std::exchange(fd_, -1));
  if (closed != 0 || rename(temporary_.c_str(), path_.c_str()) != 0) {
    const int reason = errno;
    unlink(temporary_.c_str());
    fail("cannot finish the file", reason);
  }
}

void OutputFile::flush() {
  write_through(buffer_);
  buffer_.clear();
}

void OutputFile::write_through(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd_, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("cannot write the file", errno);
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
}

void OutputFile::discard() {
  if (fd_ < 0) return;
  close(std::exchange(fd_, -1));
  unlink(temporary_.c_str());
}

void OutputFile::fail(const char* what, int reason) const {
  throw Error(
      {.where = path_.string(), .what = what, .expected = {}, .got = std::strerror(reason)});
}

}  // namespace hearth
