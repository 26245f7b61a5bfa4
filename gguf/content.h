// What a well-formed file says, held against what its keys mean: types, vocabulary lengths, ids.
#pragma once

#include "gguf/parse.h"
#include "gguf/violation.h"

namespace hearth::gguf {

/// Reports every violation in the metadata of `file` to `sink`; offsets are those of the entries.
void check_content(const Parsed& parsed, std::string_view file, const ViolationFn& sink);

}  // namespace hearth::gguf
