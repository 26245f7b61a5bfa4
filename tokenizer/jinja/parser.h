// Tokens to a tree. Recursive descent over jinja2's grammar; every error names its place.
#pragma once

#include <string>
#include <string_view>

#include "tokenizer/jinja/ast.h"

namespace hearth::jinja {

/// Parses `source`. The Program must stay where it is: its tree points into its source.
std::unique_ptr<const Program> parse(std::string_view source, std::string name);

}  // namespace hearth::jinja
