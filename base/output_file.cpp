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

// Where a file that has no name can be had to give it one.
std::string handle_of(int fd) {
  return "/proc/self/fd/" + std::to_string(fd);
}

// A file without a name: of a process that is killed nothing is left. -1 where there are none.
int open_nameless(const std::filesystem::path& folder) {
  const int fd =
      open(folder.empty() ? "." : folder.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
  if (fd < 0 || access(handle_of(fd).c_str(), F_OK) == 0) return fd;
  close(fd);
  return -1;
}

// mkstemp makes files private; this one gets the mode that any new file would have. The mask can
// only be read by setting it.
mode_t usual_mode() {
  const mode_t mask = umask(0);
  umask(mask);
  return 0666 & ~mask;
}

}  // namespace

std::filesystem::path link_target(const std::filesystem::path& path) {
  std::error_code ignored;
  const auto target = std::filesystem::weakly_canonical(path, ignored);
  return ignored ? path : target;
}

OutputFile::OutputFile(const std::filesystem::path& path, std::uint64_t expected_bytes)
    : path_(link_target(path)), temporary_(path_.string() + ".part-XXXXXX") {
  std::error_code ignored;
  if (std::filesystem::exists(path_, ignored) && !std::filesystem::is_regular_file(path_, ignored))
    throw Error(
        {.where = path_.string(),
         .what = "cannot write the file: something else has this name",
         .expected = "a regular file or a new name",
         .got = std::filesystem::is_directory(path_, ignored) ? "a directory" : "a device"});
  fd_ = open_nameless(path_.parent_path());
  is_nameless_ = fd_ >= 0;
  if (!is_nameless_) fd_ = mkostemp(temporary_.data(), O_CLOEXEC);
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
  if (is_nameless_) give_name();
  const int closed = close(std::exchange(fd_, -1));
  if (closed != 0 || rename(temporary_.c_str(), path_.c_str()) != 0) {
    const int reason = errno;
    unlink(temporary_.c_str());
    fail("cannot finish the file", reason);
  }
}

// A new name can be given, but not one that another file has: that takes a renaming.
void OutputFile::give_name() {
  temporary_ = path_.string() + ".part-" + std::to_string(getpid());
  unlink(temporary_.c_str());
  const std::string handle = handle_of(fd_);
  const char* name = temporary_.c_str();
  if (linkat(AT_FDCWD, handle.c_str(), AT_FDCWD, name, AT_SYMLINK_FOLLOW) != 0) {
    fail("cannot finish the file", errno);
  }
  is_nameless_ = false;
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
  if (!is_nameless_) unlink(temporary_.c_str());
}

void OutputFile::fail(const char* what, int reason) const {
  throw Error(
      {.where = path_.string(), .what = what, .expected = {}, .got = std::strerror(reason)});
}

}  // namespace hearth
