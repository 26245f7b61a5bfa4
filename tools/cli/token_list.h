// A list of token ids as people type it: "1 5 9".
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace hearth::cli {

/// At least one id. Throws Error naming --tokens if `text` is anything else.
std::vector<std::int32_t> parse_tokens(const std::string& text);

}  // namespace hearth::cli
