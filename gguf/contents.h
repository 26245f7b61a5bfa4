// All parts of a model, opened and parsed: what Reader holds and what check() looks through.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "gguf/mapped_file.h"
#include "gguf/parse.h"

namespace hearth::gguf {

struct Contents {
  std::deque<std::string> names;  // of the parts; values and violations point here
  std::vector<MappedFile> files;  // of the parts; none for bytes in memory
  std::uint64_t file_bytes = 0;   // of all parts
  Parsed parsed;                  // header and metadata of the first part, tensors of all
};

/// Opens `path` and, if it is the first part of a split model, its sisters. Everything that is
/// wrong with them goes to `sink`; a file that cannot be opened at all throws Error. What a
/// violation points at lives in `contents`, which must stay where it is.
void load_file(const std::filesystem::path& path, Contents& contents, const ViolationFn& sink);

/// The same for one file in memory.
void load_bytes(std::span<const std::byte> bytes, std::string name, Contents& contents,
                const ViolationFn& sink);

}  // namespace hearth::gguf
