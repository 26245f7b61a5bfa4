#include "gguf/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

#include "base/error.h"

namespace hearth::gguf {
namespace {

[[noreturn]] void fail(const std::filesystem::path& path, std::string what, std::string got) {
  throw Error({.where = path.string(),
               .what = std::move(what),
               .expected = "a GGUF file that can be read",
               .got = std::move(got)});
}

// Closes on every way out; the map outlives the descriptor.
struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) close(fd);
  }
};

std::string kind_of(mode_t mode) {
  if (S_ISDIR(mode)) return "a directory";
  if (S_ISFIFO(mode)) return "a pipe";
  if (S_ISSOCK(mode)) return "a socket";
  return "a device";
}

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& path) {
  // O_NONBLOCK: opening a pipe that nobody writes to must not hang.
  const Descriptor file{open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (file.fd < 0) fail(path, "cannot open the file", std::strerror(errno));
  struct stat info {};
  if (fstat(file.fd, &info) != 0) fail(path, "cannot read the file's size", std::strerror(errno));
  if (!S_ISREG(info.st_mode)) fail(path, "this is not a regular file", kind_of(info.st_mode));
  const auto size = static_cast<std::size_t>(info.st_size);
  if (size == 0) return;
  void* at = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.fd, 0);
  if (at == MAP_FAILED) fail(path, "cannot map the file into memory", std::strerror(errno));
  bytes_ = {static_cast<const std::byte*>(at), size};
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : bytes_(std::exchange(other.bytes_, std::span<const std::byte>{})) {}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

void MappedFile::drop_pages(std::span<const std::byte> part) const {
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<std::uintptr_t>(part.data());
  const std::uintptr_t first = (begin + page - 1) / page * page;
  const std::uintptr_t last = (begin + part.size()) / page * page;
  if (first >= last) return;
  auto* at = const_cast<std::byte*>(part.data()) + (first - begin);
  madvise(at, last - first, MADV_DONTNEED);
}

}  // namespace hearth::gguf
