// Models in several files: NAME-00001-of-00003.gguf and its sisters. Metadata stands in the first;
// each part has tensors of its own.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "gguf/parse.h"

namespace hearth::gguf {

/// What a file name says: the part's number from 0, and how many there are.
struct SplitName {
  std::string stem;  // "NAME"
  std::uint32_t no;
  std::uint32_t count;
};

/// nullopt for the name of a file that is not a part.
std::optional<SplitName> parse_split_name(const std::string& file_name);

/// "NAME-00001-of-00003.gguf"
std::string split_file_name(const SplitName& name);

/// What the keys of one part say. count is 1 for a model in one file.
struct SplitKeys {
  std::uint64_t no = 0;
  std::uint64_t count = 1;
  std::optional<std::uint64_t> tensors;  // in all parts
};
SplitKeys split_keys(const Parsed& part);

}  // namespace hearth::gguf
