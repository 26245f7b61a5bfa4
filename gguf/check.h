// Every violation of a GGUF file at once, for `hearth inspect --check`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "gguf/violation.h"

namespace hearth::gguf {

struct Finding {
  std::string file;
  Rule rule;
  std::uint64_t offset;  // of the field concerned, from the start of the file
  std::string what;
  std::string expected;  // may be empty
  std::string got;       // may be empty
};

struct CheckReport {
  std::vector<Finding> findings;  // the first kMaxFindings, in the order they were found
  std::uint64_t total = 0;        // of all, listed or not

  bool ok() const { return total == 0; }
};

/// A hostile file can have millions; nobody reads more than these.
inline constexpr std::size_t kMaxFindings = 1000;

/// Looks through `path`, and its sister files when it is the first of a split. Throws Error only if
/// a file cannot be opened. Time and memory are linear (n log n for sorting names) in the size of
/// metadata and tensor table.
CheckReport check(const std::filesystem::path& path);

/// The same over memory.
CheckReport check_bytes(std::span<const std::byte> bytes, std::string name);

}  // namespace hearth::gguf
